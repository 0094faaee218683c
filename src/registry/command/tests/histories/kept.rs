//! Histories that failed once, as short as they got, and what was wrong.

/// What was wrong, and the lines.
pub(super) const KEPT: [(&str, &str); 4] = [
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
    (
        "a deleted domain was restored while an earlier restore of it waited for a signature, and \
     went on waiting",
        "op zone policy tld expiry=keep restore-report=unneeded approvers=ada,bob change-control=auto data-model=maximum registrant-change=veto veto-silence=reject transfer-contacts=keep
     reg-a contact create c-0 auth=k9$Tq2-vX7mB!zR4pL0w
     op contact keys c-0 key=own case=1
     reg-a domain create d1.tld auth=k9$Tq2-vX7mB!zR4pL0w ns=ns1.ext.example ns=ns2.ext.example registrant=c-0 contact=admin:c-0
     op domain move d1.tld from=reg-a by=reg-b case=7
     op zone policy tld change-control=signed
     reg-b domain delete d1.tld
     op change sign d1.tld contact=c-0 signature=made
     reg-b domain restore d1.tld
     op zone policy tld change-control=auto
     reg-b domain restore d1.tld",
    ),
    (
        "a purge of a locked domain waited while a transfer of it did, and showed nothing after that",
        "reg-a domain create d2.tld auth=k9$Tq2-vX7mB!zR4pL0w
     op:cat domain lock d2.tld approvals=1 approver=ada approver=bob case=7
     op domain transfer d2.tld op=request by=reg-b
     op:ada change approve d2.tld
     time 2
     op domain purge d2.tld
     time 2
     time 1",
    ),
];
