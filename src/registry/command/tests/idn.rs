//! Internationalized labels: tables of a zone, what they let in, variants.

use super::*;
use crate::registry::command::zone::{ZoneIdn, ZoneTableText};

/// Latin with ö as a variant of oe, and é of e.
const LATIN: &str = r#"<lgr xmlns="urn:ietf:params:xml:ns:lgr-1.0"><data>
    <range first-cp="0066" last-cp="006E"/><char cp="002D"/><range first-cp="0070" last-cp="007A"/>
    <range first-cp="0061" last-cp="0064"/><char cp="006F"/>
    <char cp="0065"><var cp="00E9"/></char><char cp="00E9"><var cp="0065"/></char>
    <char cp="006F 0065"><var cp="00F6"/></char><char cp="00F6"><var cp="006F 0065"/></char>
    </data></lgr>"#;
/// Greek, with Greek omicron as a variant of Latin o, which is not in its repertoire.
const GREEK: &str = r#"<lgr xmlns="urn:ietf:params:xml:ns:lgr-1.0"><data>
    <range first-cp="03B1" last-cp="03BE"/><range first-cp="03C0" last-cp="03C9"/>
    <char cp="03BF"/></data></lgr>"#;

fn idn(set: &[(&str, &str)], remove: &[&str]) -> Request {
    let table = |(tag, text): &(&str, &str)| ZoneTableText::new(*tag, (*text).to_owned());
    operator(Command::Zone(ZoneCommand::Idn(Box::new(ZoneIdn {
        apex: "tld".parse().unwrap(),
        set: set.iter().map(table).collect(),
        remove: remove.iter().map(|tag| (*tag).to_owned()).collect(),
    }))))
}

async fn refusal(test: &mut TestDatabase, request: &Request) -> (u16, String) {
    let error = run(test, request).await.unwrap_err();
    let number = error.code().number();
    (number, error.to_string())
}

#[tokio::test]
async fn labels_need_a_table_that_takes_them() {
    for engine in engines() {
        let mut test = stage(engine).await;
        // xn--mxa is α, xn--mxac αβ, xn--xxa μ, xn--fiqs8s Han, xn--a the A-label of nothing.
        play(&mut test, "reg-a domain create xn--mxa.tld = 2306").await;
        let tables = idn(&[("el", GREEK), ("de", LATIN)], &[]);
        run(&mut test, &tables).await.unwrap();
        play(
            &mut test,
            "reg-a domain create xn--mxa.tld = 1000
             reg-a domain create xn--mxac.tld idn=de = 2306
             reg-a domain create xn--mxac.tld idn=ru = 2306
             reg-a domain create xn--mxac.tld idn=el = 1000
             reg-a domain create xn--fiqs8s.tld = 2306
             reg-a domain create xn--a.tld = 2306
             reg-a domain create plain.tld idn=de = 2306
             reg-a domain create plain-1.tld = 1000
             op zone policy tld label-min=2 = 1000
             reg-a domain create xn--xxa.tld = 2306",
        )
        .await;
        let (_, reason) = refusal(&mut test, &parse("reg-a domain create xn--fiqs8s.tld")).await;
        for part in ["中国", "de: U+4E2D is not in the table", "el: U+4E2D"] {
            assert!(reason.contains(part), "{reason}");
        }
        let (code, _) = refusal(&mut test, &idn(&[], &["el"])).await;
        assert_eq!(code, 2305, "domains are there by this table");
        run(&mut test, &idn(&[], &["de"])).await.unwrap();
    }
}

#[tokio::test]
async fn of_variants_one_is_registered() {
    for engine in engines() {
        let mut test = stage(engine).await;
        // Before there is a table: oe and é of old.
        play(&mut test, "reg-a domain create goethe.tld = 1000").await;
        run(&mut test, &idn(&[("de", LATIN)], &[])).await.unwrap();
        // xn--gthe-5qa is göthe, xn--caf-dma café, xn--kln-sna köln.
        play(
            &mut test,
            "reg-b domain create xn--gthe-5qa.tld = 2306
             reg-a domain create xn--kln-sna.tld = 1000
             reg-b domain create koeln.tld = 2306
             reg-b domain check koeln.tld = 1000
             reg-b domain create cafe.tld = 1000
             reg-a domain create xn--caf-dma.tld = 2306
             op domain delete xn--kln-sna.tld = 1000
             reg-b domain create koeln.tld = 1000
             op domain delete goethe.tld = 1000
             reg-b domain create xn--gthe-5qa.tld = 1000",
        )
        .await;
        let (_, reason) = refusal(&mut test, &parse("reg-a domain create goethe.tld")).await;
        assert!(reason.contains("a variant of xn--gthe-5qa.tld"), "{reason}");
        // The other way round: a table for what is there already.
        let greek = GREEK.replace("03BF\"/>", "03BF\"><var cp=\"03B1\"/></char>");
        run(&mut test, &idn(&[("el", &greek)], &[])).await.unwrap();
        // α, then ο which that table calls its variant.
        play(
            &mut test,
            "reg-a domain create xn--mxa.tld = 1000
             reg-a domain create xn--0xa.tld = 2306",
        )
        .await;
    }
}

#[tokio::test]
async fn tables_are_read_before_they_are_taken() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let bad = LATIN.replace("002D", "2D");
        for (request, code, part) in [
            (idn(&[("de", &bad)], &[]), 2005, "line 2"),
            (idn(&[("d e", LATIN)], &[]), 2005, "no tag"),
            (idn(&[], &["de"]), 2306, "no such table"),
            (idn(&[], &[]), 2003, "nothing"),
        ] {
            let before = row_counts(&mut test.database).await;
            let (found, reason) = refusal(&mut test, &request).await;
            assert_eq!(found, code, "{reason}");
            assert!(reason.contains(part), "{reason}");
            assert_eq!(before, row_counts(&mut test.database).await);
        }
        let table = idn(&[("DE", LATIN)], &[]);
        let event = run(&mut test, &table).await.unwrap().event().unwrap();
        let detail = "SELECT detail FROM events WHERE number = $1";
        let detail: String = sqlx::query_scalar(detail)
            .bind(event)
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        let digest = blake3::hash(LATIN.as_bytes()).to_string();
        assert!(
            detail.contains(&digest) && !detail.contains("lgr-1.0"),
            "{detail}"
        );
        let shown = run(&mut test, &parse("op zone info tld")).await.unwrap();
        assert!(format!("{shown:?}").contains(&digest), "{shown:?}");
    }
}
