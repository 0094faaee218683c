//! What words of the registry mean, for people (RFC 5731, 5732 and 3915).

/// A status of a domain or a host, in a few words; empty for one that is not known.
pub(super) fn status(word: &str) -> &'static str {
    match word {
        "ok" => "Nothing restricts it",
        "linked" => "In use by at least one domain",
        "inactive" => "It has no name servers, so it is not in DNS",
        "clientHold" => "Its registrar keeps it out of DNS",
        "serverHold" => "The registry keeps it out of DNS",
        "clientDeleteProhibited" => "Its registrar does not let it be deleted",
        "serverDeleteProhibited" => "The registry does not let it be deleted",
        "clientRenewProhibited" => "Its registrar does not let it be renewed",
        "serverRenewProhibited" => "The registry does not let it be renewed",
        "clientTransferProhibited" => "Its registrar has locked it against transfers",
        "serverTransferProhibited" => "The registry has locked it against transfers",
        "clientUpdateProhibited" => "Its registrar has locked it against changes",
        "serverUpdateProhibited" => "The registry has locked it against changes",
        "pendingCreate" => "Its registration is being processed",
        "pendingDelete" => "It is being deleted and becomes free again",
        "pendingRenew" => "Its renewal is being processed",
        "pendingTransfer" => "It is being transferred to another registrar",
        "pendingUpdate" => "A change of it is being processed",
        "addPeriod" => "It was registered within the last days",
        "autoRenewPeriod" => "It was renewed by itself within the last weeks",
        "renewPeriod" => "It was renewed within the last days",
        "transferPeriod" => "It was transferred within the last days",
        "redemptionPeriod" => "It was deleted; its registrar can still restore it",
        "pendingRestore" => "It is being restored after a delete",
        _ => "",
    }
}

/// Several words as a person lists them.
pub(super) fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The same with a capital at its start.
pub(super) fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + rest.as_str()
}

/// `1 event`, `2 events`.
pub(super) fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
