//! Labels of all scripts, judged by us and by Python's `idna`, which has the tables of
//! RFC 5892 as lists where we compute them.

use std::process::Command;

use meridian::registry::idn::IdnLabel;

use super::wanted;

/// One line a label: its code points, and its A-label or nothing. Code points that the
/// interpreter's Unicode does not know are left out, since ours may be newer, and so are
/// four whose writing direction was changed after it (L since Unicode 16); of Han and
/// Hangul one in sixteen stands for its like. Upper case in ASCII is mapped there.
const JUDGE: &str = r"
import unicodedata
import idna

def judge(label):
    try:
        verdict = idna.alabel(label).decode()
    except (idna.IDNAError, UnicodeError):
        verdict = ''
    print(' '.join('%X' % ord(c) for c in label), verdict, sep='\t')

for point in range(0x21, 0x32000):
    character = chr(point)
    if unicodedata.category(character) in ('Cn', 'Cs', 'Co') or character in '.ABCDEFGHIJKLMNOPQRSTUVWXYZ':
        continue
    if point in (0x1B3A, 0x1B3C, 0x1B42, 0x1171E):
        continue
    if (0x3400 <= point < 0xD800 or point >= 0x17000) and point % 16:
        continue
    for label in (character, 'l' + character + 'l', '\u03b1' + character + '\u03b1',
                  '\u05d0' + character, '\u0628' + character + '\u0628', '\u0915\u094d' + character,
                  character + '\u30a2'):
        judge(label)
";

#[test]
fn labels_are_judged_as_by_python_idna() {
    if !wanted(&["python3"]) {
        return;
    }
    // Debian's interpreter is the one that has Debian's package.
    let mut command = Command::new("/usr/bin/python3");
    let output = command.args(["-c", JUDGE]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let (mut judged, mut taken, mut differing) = (0, 0, Vec::new());
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (points, expected) = line.split_once('\t').unwrap();
        let label: String = points
            .split(' ')
            .map(|point| char::from_u32(u32::from_str_radix(point, 16).unwrap()).unwrap())
            .collect();
        let ours = IdnLabel::parse(&label, "example");
        let ascii = ours.as_ref().map_or("", IdnLabel::as_ascii);
        judged += 1;
        taken += u32::from(!expected.is_empty());
        if ascii != expected {
            differing.push(format!("{points}: {ours:?}, python {expected:?}"));
        }
    }
    assert!(judged > 200_000 && taken > 20_000, "{judged} {taken}");
    let shown = differing.iter().take(20).cloned().collect::<Vec<_>>();
    assert!(
        differing.is_empty(),
        "{} differ: {shown:#?}",
        differing.len()
    );
}
