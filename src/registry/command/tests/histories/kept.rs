//! Histories that failed once, as short as they got, and what was wrong.

/// What was wrong, and the lines.
pub(super) const KEPT: [(&str, &str); 2] = [
    (
        "a locked domain that was deleted, and is to go to another registrar, showed two pending \
     actions",
        "reg-a domain create d0.tld
     op domain lock d0.tld approvals=1 approver=ada approver=bob case=7
     time 7
     reg-a domain delete d0.tld
     op:ada change approve d0.tld
     op domain move d0.tld from=reg-a by=reg-b case=7
     op:bob change approve d0.tld",
    ),
    (
        "while a purge of a locked domain waited, time ended its registration",
        "op zone policy tld expiry=delete
     reg-a domain create d0.tld
     op:cat domain lock d0.tld approvals=1 approver=ada approver=bob case=7
     op domain purge d0.tld",
    ),
];
