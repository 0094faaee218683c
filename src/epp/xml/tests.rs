use proptest::prelude::*;

use super::*;

const OPEN: &str = "<a xmlns='urn:a'>";

fn parsed(text: &str) -> Element {
    read(text.as_bytes()).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn refused(text: &str) -> Fault {
    match read(text.as_bytes()) {
        Err(fault) => fault,
        Ok(element) => panic!("{text} is read as {element:?}"),
    }
}

#[test]
fn a_frame_is_a_tree_with_namespaces_and_lines() {
    let root = parsed(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- so -->\n<a xmlns='urn:a' xmlns:b='urn:b'>\n\
         <b:c d=' 1  2 '>x&amp;&#x79;<![CDATA[<z>]]></b:c><e xmlns=''/></a>\n",
    );
    assert!(root.is("urn:a", "a"));
    let [child, bare] = &root.children[..] else {
        panic!("two children");
    };
    assert!(child.is("urn:b", "c") && bare.is("", "e"));
    assert_eq!((&*child.text as &str, child.line), ("x&y<z>", 4));
    assert_eq!(child.attribute("d").as_deref(), Some("1 2"));
    assert_eq!(parsed("\u{feff}<a/>").name, "a");
}

#[test]
fn what_xml_or_epp_does_not_have_is_refused() {
    for (text, reason) in [
        ("", "no element"),
        ("<a>", "without an end"),
        ("<a></b>", "not well-formed"),
        ("</a>", "not well-formed"),
        ("<a/><b/>", "after the end"),
        ("<a/>text", "outside"),
        ("text<a/>", "outside"),
        ("<a/>&amp;", "outside"),
        ("<!DOCTYPE a><a/>", "document type"),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "document type"),
        ("<a>&x;</a>", "entities"),
        ("<a b='&x;'/>", ""),
        ("<a>&#0;</a>", ""),
        ("<a>&#xFFFE;</a>", "entities"),
        ("<a>& b</a>", "not well-formed"),
        ("<?pi x?><a/>", "processing"),
        ("<a/><?xml version='1.0'?>", "stands first"),
        (" <?xml version='1.0'?><a/>", "stands first"),
        ("<?xml version='1.1'?><a/>", "version"),
        (
            "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
            "encoding",
        ),
        ("<?xml version='1.0' encod='UTF-8'?><a/>", "declaration"),
        ("<?xml version='1.0'encoding='UTF-8'?><a/>", "declaration"),
        ("<?xml encoding='UTF-8' version='1.0'?><a/>", "declaration"),
        ("<?xml version='1.0' standalone='maybe'?><a/>", "standalone"),
        ("<a>]]></a>", "]]>"),
        ("<a b='<'/>", "character"),
        ("<a b='1' b='2'/>", ""),
        ("<a b='1'c='2'/>", "space"),
        ("<a b=1/>", ""),
        ("<a b/>", ""),
        ("<p:a/>", "prefix"),
        ("<a p:b='1'/>", "prefix"),
        ("<a xmlns:p=''/>", "cannot mean"),
        ("<a xmlns:xml='urn:x'/>", "cannot mean"),
        (
            "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
            "cannot mean",
        ),
        (
            "<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='1' q:b='2'/>",
            "twice",
        ),
        ("<1a/>", "no name"),
        ("<a:b:c xmlns:a='urn:x'/>", "no name"),
        ("<a>\u{1}</a>", "character"),
        ("<a><!-- -- --></a>", "not well-formed"),
    ] {
        let fault = refused(text);
        assert_eq!(fault.code, Code::CommandSyntax, "{text}");
        assert!(fault.reason.contains(reason), "{text}: {}", fault.reason);
    }
    assert!(read(b"<a>\xff</a>").is_err(), "not UTF-8");
    assert!(read(b"\xff\xfe<\0a\0/\0>\0").is_err(), "UTF-16");
}

#[test]
fn a_fault_names_line_and_element() {
    let fault = refused("<a>\n<b>\n&x;</b></a>");
    assert_eq!((fault.line, &*fault.element), (3, "b"));
}

#[test]
fn depth_elements_and_attributes_have_bounds() {
    let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    parsed(&deep(DEPTH_MAX));
    refused(&deep(DEPTH_MAX + 1));
    let wide = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
    parsed(&wide(ELEMENTS_MAX));
    refused(&wide(ELEMENTS_MAX + 1));
    let attributed = |count: usize| {
        let attributes: String = (0..count).map(|number| format!(" a{number}='x'")).collect();
        format!("<a{attributes}/>")
    };
    parsed(&attributed(ATTRIBUTES_MAX));
    refused(&attributed(ATTRIBUTES_MAX + 1));
    let bound: String = (0..=ATTRIBUTES_MAX)
        .map(|n| format!(" xmlns:p{n}='urn:x'"))
        .collect();
    refused(&format!("<a{bound}/>"));
    let long = "x".repeat(crate::epp::frame::FRAME_BYTES_MAX);
    refused(&format!("<a>{long}</a>"));
}

#[test]
fn namespaces_end_with_their_element() {
    refused("<a><b xmlns:p='urn:x'/><p:c/></a>");
    let root = parsed("<a xmlns='urn:a'><b xmlns='urn:b'><c/></b><d/></a>");
    assert!(root.children[0].children[0].is("urn:b", "c"));
    assert!(root.children[1].is("urn:a", "d"));
}

#[test]
fn a_sequence_is_of_its_order_and_cardinality() {
    let check = |body: &str| -> Result<usize, Fault> {
        let root = parsed(&format!("{OPEN}{body}</a>"));
        let mut within = Sequence::of(&root, &[])?;
        within.required("b")?;
        let count = within.many("c", 2).len();
        within.optional("d");
        within.end().map(|()| count)
    };
    assert_eq!(check("<b/>"), Ok(0));
    assert_eq!(check(" <b/> <c/><c/><d/>"), Ok(2));
    for (body, element) in [
        ("", "a"),
        ("<c/>", "c"),
        ("<b/><c/><c/><c/>", "c"),
        ("<b/><d/><c/>", "c"),
        ("<b/><b/>", "b"),
        ("<b/><e/>", "e"),
        ("<b/><d xmlns='urn:other'/>", "d"),
        ("<b/>text", "a"),
    ] {
        let fault = check(body).unwrap_err();
        assert_eq!(
            (fault.code, &*fault.element),
            (Code::CommandSyntax, element),
            "{body}"
        );
    }
    let odd = parsed("<a xmlns='urn:a' b='1'/>");
    assert!(Sequence::of(&odd, &["c"]).is_err() && Sequence::of(&odd, &["b"]).is_ok());
}

#[test]
fn a_secret_is_in_no_debug_and_no_fault() {
    let root = parsed("<pw>hidden-1</pw>");
    assert!(!format!("{root:?}").contains("hidden-1"));
    let fault = root.token(&[], 20..30).unwrap_err();
    assert!(!format!("{fault:?}").contains("hidden-1"));
}

/// An element as it will be read, but for lines and offsets.
fn shape(element: &Element) -> String {
    let attributes: Vec<_> = element
        .attributes
        .iter()
        .map(|a| (&a.name, &a.value))
        .collect();
    let children: Vec<_> = element.children.iter().map(shape).collect();
    let text: &str = &element.text;
    format!(
        "{}{}{attributes:?}{text:?}{children:?}",
        element.namespace, element.name
    )
}

/// Writes a tree of ours: text before elements, as no writer of ours mixes them.
fn write(element: &Element, out: &mut Writer) {
    let mut attributes: Vec<_> = element
        .attributes
        .iter()
        .map(|attribute| (attribute.name.as_str(), attribute.value.as_str()))
        .collect();
    attributes.push(("xmlns", &element.namespace));
    out.open(&element.name, &attributes);
    out.text(&element.text);
    for child in &element.children {
        write(child, out);
    }
    out.close();
}

/// Trees of up to three levels with any text that XML has.
fn trees() -> impl Strategy<Value = Element> {
    let text = proptest::collection::vec(
        any::<char>().prop_filter("of XML", |c| is_character(*c)),
        0..12,
    );
    let leaf = (
        "[a-z]{1,5}",
        text,
        proptest::option::of(("[a-z]{1,4}", ".{0,6}")),
    )
        .prop_map(|(name, text, attribute)| Element {
            namespace: Rc::from("urn:t"),
            name,
            attributes: attribute
                .into_iter()
                .map(|(name, value)| Attribute {
                    namespace: Rc::from(""),
                    name: format!("a{name}"),
                    value: value.replace(|c| !is_character(c), ""),
                })
                .collect(),
            children: Vec::new(),
            text: Zeroizing::new(text.into_iter().collect()),
            line: 0,
            content: 0..0,
        });
    leaf.prop_recursive(3, 24, 4, |inner| {
        (inner.clone(), proptest::collection::vec(inner, 0..4)).prop_map(
            |(mut parent, children)| {
                parent.children = children;
                parent
            },
        )
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(tree in trees()) {
        let mut out = Writer::document();
        write(&tree, &mut out);
        let text = out.finish();
        let read = read(text.as_bytes()).unwrap();
        prop_assert_eq!(shape(&read), shape(&tree));
    }

    #[test]
    fn any_octets_are_a_tree_or_a_fault(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&octets);
    }

    #[test]
    fn any_markup_is_a_tree_or_a_fault(
        pieces in proptest::collection::vec(prop_oneof![
            Just("<a>"), Just("</a>"), Just("<a/>"), Just("<p:b xmlns:p='urn:p'>"), Just("</p:b>"),
            Just("<!--"), Just("-->"), Just("<![CDATA["), Just("]]>"), Just("&amp;"), Just("&#10;"),
            Just("&"), Just("<?xml version='1.0'?>"), Just(" b='c'"), Just("<"), Just(">"), Just("x\n"),
        ], 0..20),
    ) {
        if let Ok(root) = read(pieces.concat().as_bytes()) {
            // What the writer makes of it is read again.
            let mut out = Writer::document();
            write(&root, &mut out);
            prop_assert!(read(out.finish().as_bytes()).is_ok());
        }
    }
}

#[test]
fn languages_are_those_of_xml_schema() {
    for tag in ["en", "EN", "zh-Hans-CN", "x-klingon", "de-1996"] {
        assert!(is_language(tag), "{tag}");
    }
    for text in ["", "0", "e1", "en-", "-en", "en_US", "abcdefghi", "a b"] {
        assert!(!is_language(text), "{text}");
    }
}
