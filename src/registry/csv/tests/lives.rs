//! What registrations and zones have beside names and servers: lives, transfers, locks,
//! keys, policies, held labels, parking and IDN tables, in and out.

use super::*;

/// Files beside those of the sample, and columns that it does not have.
const MORE: [(&str, &str); 12] = [
    (
        "zones.csv",
        "apex,soa_mname,soa_rname,serial,parking,change_control,policy\n\
         tld,ns1.nic.tld,hostmaster.nic.tld,4,1,verify,\"expiry=delete approvers=ada,bob\"\n",
    ),
    (
        "domains.csv",
        "name,registrar,statuses,expires_at,phase,phase_ends_at,transfer_ends_at,auth,created_by\n\
         a.tld,reg-a,,2030-01-01T00:00:00Z,,,,0102,reg-a\n\
         gone.tld,reg-a,pendingDelete,2030-01-01T00:00:00Z,redemption,2027-01-01T00:00:00Z,,,\n\
         wait.tld,reg-a,pendingTransfer,2030-01-01T00:00:00Z,,,2026-02-02T00:00:00Z,,\n\
         kept.tld,reg-b,serverDeleteProhibited,2030-01-01T00:00:00Z,,,,,registry\n",
    ),
    (
        "grace_periods.csv",
        "domain,kind,started_at,ends_at,years\n\
         a.tld,renew,2026-01-01T00:00:00Z,2026-01-06T00:00:00Z,2\n",
    ),
    (
        "transfers.csv",
        "domain,state,gaining,losing,years,requested_at,acted_at\n\
         wait.tld,pending,reg-b,reg-a,1,2026-01-28T00:00:00Z,2026-02-02T00:00:00Z\n",
    ),
    (
        "locks.csv",
        "domain,approvals,approvers,locked_at\na.tld,1,ada bob,2026-01-01T00:00:00Z\n",
    ),
    (
        "contact_keys.csv",
        "contact,key,added_at\n\
         c-1,d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a,2026-01-01T00:00:00Z\n",
    ),
    (
        "contact_transfers.csv",
        "contact,state,gaining,losing,requested_at,acted_at\n\
         c-1,pending,reg-b,reg-a,2026-01-28T00:00:00Z,2026-02-02T00:00:00Z\n",
    ),
    (
        "held_labels.csv",
        "zone,label,kind,reason\ntld,gold,premium,100 a year\ntld,nic,reserved,ours\n",
    ),
    (
        "parking_servers.csv",
        "zone,host\ntld,p1.example\ntld,p2.example\n",
    ),
    (
        "parking_records.csv",
        "zone,owner,type,ttl,data\ntld,@,SOA,300,p1.example. h.example. 1 2 3 4 300\n\
         tld,*,A,300,192.0.2.9\n",
    ),
    (
        "idn_tables.csv",
        "zone,tag,text\ntld,de,\"<lgr xmlns=\"\"urn:ietf:params:xml:ns:lgr-1.0\"\"><data>\
         <range first-cp=\"\"0061\"\" last-cp=\"\"007A\"\"/></data></lgr>\"\n",
    ),
    (
        "variant_labels.csv",
        "zone,index_label,domain,tag\ntld,b,a.tld,de\n",
    ),
];

/// The sample's contacts and registrars with these.
fn written(test: &TestDatabase, lines: &[(&str, &str)]) -> PathBuf {
    let known = FILES
        .iter()
        .filter(|(file, _)| matches!(*file, "registrars.csv" | "contacts.csv"));
    let files: Vec<_> = known.chain(&MORE).copied().collect();
    let folder = write_files(test, "files", &files);
    for (file, line) in lines {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        std::fs::write(folder.join(file), format!("{text}{line}\n")).unwrap();
    }
    folder
}

#[tokio::test]
async fn lives_and_policies_come_out_as_they_went_in() {
    for engine in engines() {
        let mut first = test_database(engine).await;
        let options = CsvOptions::new(written(&first, &[]), NOW);
        assert_eq!(run(&mut first, &options).await.unwrap().rejected, 0);
        let due = "SELECT name || ' ' || due_step FROM domains WHERE due_step IS NOT NULL \
                   ORDER BY name";
        let due = sqlx::query_scalar::<_, String>(due);
        let due = due.fetch_all(first.database.connection()).await.unwrap();
        // What the registry keeps does not expire where its zone deletes what does.
        let expected = [
            "a.tld expire",
            "gone.tld end-redemption",
            "wait.tld approve-transfer",
        ];
        assert_eq!(due, expected);
        let parked = "SELECT owner FROM dns_parked ORDER BY owner LIMIT 1";
        let parked: String = sqlx::query_scalar(parked)
            .fetch_one(first.database.connection())
            .await
            .unwrap();
        assert_eq!(parked, "a.tld");
        let files = export(&mut first, "exported").await;
        let zones = &files["zones.csv"];
        assert!(zones.contains("approvers=ada,bob"), "{zones}");
        assert!(zones.contains("expiry=delete"), "{zones}");
        assert!(files["domains.csv"].contains(",0102,reg-a,"));
        for (file, text) in &MORE[2..] {
            assert_eq!(files[*file].lines().count(), text.lines().count(), "{file}");
        }
        for other in engines() {
            let mut second = test_database(other).await;
            let options = CsvOptions::new(first.folder.path().join("exported"), NOW);
            assert_eq!(run(&mut second, &options).await.unwrap().rejected, 0);
            assert_eq!(export(&mut second, "again").await, files);
            assert_eq!(second.published(), first.published());
        }
    }
}

/// A bad line, its file, and a part of the reason.
const WRONG: [(&str, &str, &str); 15] = [
    ("zones.csv", "b,x,y,1,,,years=1", "unknown field"),
    ("zones.csv", "b,x,y,1,,,expiry=never", "never"),
    ("zones.csv", "b,x,y,1,,,years-max=11", "from 1 to 10"),
    ("zones.csv", "b,x,y,1,,verify,approvals=2", "2 approvals"),
    (
        "zones.csv",
        "b,x,y,1,,,data-model=maximum",
        "column of its own",
    ),
    (
        "domains.csv",
        "b.tld,reg-a,,,asleep,,,,",
        "none of registered",
    ),
    (
        "domains.csv",
        "b.tld,reg-a,,,redemption,,,,",
        "phase_ends_at is missing",
    ),
    ("domains.csv", "b.tld,reg-a,,,,,,0g,", "not hexadecimal"),
    (
        "grace_periods.csv",
        "b.tld,renew,2026-01-01T00:00:00Z,2026-01-06T00:00:00Z,2",
        "no such domain",
    ),
    (
        "transfers.csv",
        "a.tld,begun,reg-b,reg-a,1,2026-01-28T00:00:00Z,2026-02-02T00:00:00Z",
        "none of pending",
    ),
    (
        "locks.csv",
        "kept.tld,3,ada bob,2026-01-01T00:00:00Z",
        "more approvals",
    ),
    (
        "contact_keys.csv",
        "c-1,00,2026-01-01T00:00:00Z",
        "64 hexadecimal digits",
    ),
    ("held_labels.csv", "tld,x,free,y", "none of reserved"),
    ("parking_records.csv", "tld,x,A,300,192.0.2.1", "none of @"),
    ("idn_tables.csv", "tld,de,<lgr", "the table"),
];

#[tokio::test]
async fn bad_rows_of_lives_and_policies_are_told() {
    let lines: Vec<_> = WRONG.iter().map(|(file, line, _)| (*file, *line)).collect();
    for engine in engines() {
        let mut test = test_database(engine).await;
        let options = CsvOptions::new(written(&test, &lines), NOW);
        let report = run(&mut test, &options).await.unwrap();
        let rejects = std::fs::read_to_string(report.rejects_file.unwrap()).unwrap();
        assert_eq!(report.rejected, WRONG.len() as u64, "{rejects}");
        let mut reader = ::csv::Reader::from_reader(rejects.as_bytes());
        for (row, (file, line, part)) in reader.records().zip(WRONG) {
            let row = row.unwrap();
            assert!(&row[0] == file && row[2].contains(part), "{line}: {row:?}");
        }
    }
}
