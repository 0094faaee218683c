//! Engine codes are sorted by what an operator does about them.

use super::*;

#[test]
fn engine_codes_become_kinds() {
    #[track_caller]
    fn check(engine: Engine, code: &str, expected: &Kind) {
        assert_eq!(kind(engine, Some(code)), *expected, "{code}");
    }
    check(Engine::Sqlite, "5", &Kind::Locked);
    check(Engine::Sqlite, "517", &Kind::Locked);
    check(Engine::Sqlite, "13", &Kind::Full);
    check(Engine::Sqlite, "778", &Kind::Full);
    check(Engine::Sqlite, "11", &Kind::Corrupt);
    check(Engine::Sqlite, "267", &Kind::Corrupt);
    check(Engine::Sqlite, "14", &Kind::Denied);
    check(Engine::Sqlite, "26", &Kind::Foreign);
    check(Engine::Sqlite, "1", &Kind::Other);
    check(Engine::Postgres, "55P03", &Kind::Locked);
    check(Engine::Postgres, "53100", &Kind::Full);
    check(Engine::Postgres, "23505", &Kind::Other);
    assert_eq!(kind(Engine::Sqlite, None), Kind::Other);
}
