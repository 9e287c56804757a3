//! What is written is what is read, once, in pages.

use crate::common::*;
use domain::*;
use store::{AlarmFilter, Options, Page, SessionFilter, Store, StoreError};

/// Every kind of record survives closing and opening exactly as it was.
#[tokio::test]
async fn every_record_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.commit(one_of_each()).await.unwrap();
    let before = everything(&reader).await;
    writer.close().await.unwrap();
    drop(reader);
    let (_writer, reader) = open(dir.path()).await;
    assert_eq!(everything(&reader).await, before);

    let setup = reader.setup(Timestamp(100)).await.unwrap();
    assert_eq!(setup.site, Some(site()));
    assert_eq!(setup.circuits, Some(CircuitTree::new(circuits()).unwrap()));
    assert_eq!(setup.meters, [meter("Counter-1")]);
    assert_eq!(setup.chargers, [charger("C1", 2), charger("C0", 3)], "in the order of registration");
    assert_eq!(setup.holds.len(), 2);
    assert_eq!(setup.hardware[0].1.serial, "77");
    assert_eq!(setup.open_sessions, [session(2, 30)]);
    assert_eq!(setup.wishes, [(SessionId(2), wish())], "of a session that runs");
    assert_eq!(setup.recent_sessions, [ended(1, 10, 20)]);
    assert_eq!((setup.last_session, setup.last_tenant_id, setup.last_card_id), (SessionId(2), TenantId(1), CardId(1)));
    assert_eq!(setup.open_alarms, [alarm(AlarmKind::ChargerOffline(charger_id("C1")), 70, None)]);
    assert_eq!(setup.refused_cards.len(), 1);
    let security = reader.charger_security_list().await.unwrap();
    assert_eq!(
        (security[0].target, security[0].enforced),
        (Some(SecurityProfile::TlsCertificate), SecurityProfile::Basic)
    );
    assert_eq!(reader.certificate_list().await.unwrap()[0].revoked_at, Some(Timestamp(3)));
    let file = reader.file_list().await.unwrap().remove(0);
    assert_eq!((file.kind, file.charger, file.bytes), (FileKind::Upload, Some(charger_id("C1")), Some(7)));
}

/// A charger repeats, a program restarts: the same record twice must change nothing.
#[tokio::test]
async fn writing_twice_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.commit(one_of_each()).await.unwrap();
    let once = everything(&reader).await;
    writer.commit(one_of_each()).await.unwrap();
    assert_eq!(everything(&reader).await, once);
}

/// A new session state replaces the old one, a lifted hold is gone, and removed things are gone while their history stays.
#[tokio::test]
async fn the_newest_state_wins() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.commit(one_of_each()).await.unwrap();
    writer
        .commit(vec![
            Record::Session(ended(2, 30, 90)),
            Record::Hold(charger_id("C0"), None),
            Record::ChargerRemoved(charger_id("C1")),
            Record::MeterRemoved(MeterId::new("Counter-1").unwrap()),
            Record::TenantErased(TenantId(1), Timestamp(95)),
            Record::Alarm(alarm(AlarmKind::ChargerOffline(charger_id("C1")), 70, Some(99))),
        ])
        .await
        .unwrap();
    let setup = reader.setup(Timestamp(100)).await.unwrap();
    assert!(setup.open_sessions.is_empty() && setup.holds.is_empty() && setup.hardware.is_empty());
    assert!(setup.meters.is_empty() && setup.cards.is_empty());
    assert!(setup.open_alarms.is_empty());
    assert_eq!(setup.chargers, [charger("C0", 3)]);
    assert_eq!(reader.session_get(SessionId(2)).await.unwrap(), Some(ended(2, 30, 90)));
    assert_eq!(setup.tenants, [tenant(1).erased(Timestamp(95))]);
    assert_eq!(setup.last_tenant_id, TenantId(1), "a new tenant must not inherit the sessions of a removed one");
    assert_eq!(setup.last_card_id, CardId(1));
}

/// A tenant's new name must not take their cards away.
#[tokio::test]
async fn renaming_a_tenant_keeps_the_cards() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.commit(vec![Record::Tenant(tenant(1)), Record::Card(card(1, "AA", 1))]).await.unwrap();
    let renamed = Tenant { name: "Other".to_owned(), ..tenant(1) };
    writer.commit(vec![Record::Tenant(renamed.clone())]).await.unwrap();
    let setup = reader.setup(Timestamp(0)).await.unwrap();
    assert_eq!((setup.tenants, setup.cards), (vec![renamed], vec![card(1, "AA", 1)]));
}

/// Pages of every size together give each session once, newest first, also where many start at one moment.
#[tokio::test]
async fn pages_give_each_session_once() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let records: Vec<Record> = (1..=25).map(|id| Record::Session(ended(id, i64::from(id / 4), 100))).collect();
    writer.commit(records).await.unwrap();
    let all = reader.session_list(&SessionFilter::default(), &Page::first(100)).await.unwrap();
    assert_eq!((all.items.len(), all.next_cursor), (25, None));
    assert!(all.items.is_sorted_by_key(|session| std::cmp::Reverse((session.started_at, session.id))));
    for limit in [1, 4, 5, 24, 25] {
        let mut page = Page::first(limit);
        let mut items = Vec::new();
        loop {
            let list = reader.session_list(&SessionFilter::default(), &page).await.unwrap();
            assert!(!list.items.is_empty(), "a cursor leads to more");
            items.extend(list.items);
            page.cursor = list.next_cursor;
            if page.cursor.is_none() {
                break;
            }
        }
        assert_eq!(items, all.items, "limit {limit}");
    }
}

/// `from` is inclusive, `to` exclusive, and the filters combine.
#[tokio::test]
async fn sessions_are_filtered() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let other = Session { tenant: None, charger: charger_id("C2"), ..ended(3, 20, 30) };
    writer
        .commit(vec![Record::Session(ended(1, 10, 15)), Record::Session(ended(2, 20, 30)), Record::Session(other)])
        .await
        .unwrap();
    let ids = async |filter: SessionFilter| {
        let list = reader.session_list(&filter, &Page::first(10)).await.unwrap();
        list.items.iter().map(|session| session.id.0).collect::<Vec<_>>()
    };
    let filter = SessionFilter { from: Some(Timestamp(10)), to: Some(Timestamp(20)), ..SessionFilter::default() };
    assert_eq!(ids(filter.clone()).await, [1]);
    assert_eq!(ids(SessionFilter { to: Some(Timestamp(21)), ..filter.clone() }).await, [3, 2, 1]);
    assert_eq!(ids(SessionFilter { tenant: Some(TenantId(1)), ..SessionFilter::default() }).await, [2, 1]);
    let at_c2 = SessionFilter { charger: Some(charger_id("C2")), ..SessionFilter::default() };
    assert_eq!(ids(at_c2.clone()).await, [3]);
    assert_eq!(ids(SessionFilter { tenant: Some(TenantId(1)), ..at_c2 }).await, [0_i32; 0]);
}

/// Lists of frames, decisions, alarms and refused cards are filtered by device and paged as sessions are.
#[tokio::test]
async fn other_lists_are_filtered_and_paged() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let mut records = Vec::new();
    for at in 0..10 {
        let device = if at % 2 == 0 { "C1" } else { "C2" };
        records.push(Record::Frame(frame(device, at, "text")));
        records.push(Record::Decision(Decision {
            charger: charger_id(device),
            connector: ConnectorNumber(1),
            at: Timestamp(at),
            limit: MilliAmps(0),
            sentence: "Waiting".to_owned(),
            reason: None,
            known: None,
        }));
        records.push(Record::Alarm(alarm(AlarmKind::NoMeter, at, (at < 9).then_some(at + 1))));
    }
    writer.commit(records).await.unwrap();
    let first = reader.frame_list(Some("C1"), &Page::first(3)).await.unwrap();
    assert_eq!(first.items.iter().map(|frame| frame.at.0).collect::<Vec<_>>(), [8, 6, 4]);
    let second = reader.frame_list(Some("C1"), &Page { limit: 3, cursor: first.next_cursor }).await.unwrap();
    assert_eq!(second.items.iter().map(|frame| frame.at.0).collect::<Vec<_>>(), [2, 0]);
    assert_eq!(second.next_cursor, None);
    assert_eq!(reader.decision_list(Some(&charger_id("C2")), &Page::first(50)).await.unwrap().items.len(), 5);
    assert_eq!(reader.decision_list(None, &Page::first(50)).await.unwrap().items.len(), 10);
    assert_eq!(reader.alarm_list(AlarmFilter::Open, &Page::first(50)).await.unwrap().items.len(), 1);
    assert_eq!(reader.alarm_list(AlarmFilter::All, &Page::first(50)).await.unwrap().items.len(), 10);
    let wrong = Page { limit: 3, cursor: Some("yesterday".to_owned()) };
    let error = reader.frame_list(None, &wrong).await.unwrap_err();
    assert!(matches!(error, StoreError::Cursor(_)), "{error}");
}

/// Hashes of passwords are kept, replaced, listed by prefix and forgotten.
#[tokio::test]
async fn secrets_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    writer.secret_set("device/Counter-1", "hash").await.unwrap();
    writer.secret_set("device/Counter-1", "newer").await.unwrap();
    writer.secret_set("manager", "hash").await.unwrap();
    assert_eq!(reader.secret_get("device/Counter-1").await.unwrap().as_deref(), Some("newer"));
    assert_eq!(reader.secret_names("device/").await.unwrap(), ["device/Counter-1"]);
    writer.secret_remove("device/Counter-1").await.unwrap();
    assert_eq!(reader.secret_get("device/Counter-1").await.unwrap(), None);
}

/// Text from the wire may hold anything; it must come back byte for byte.
#[tokio::test]
async fn any_text_survives() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let texts = ["", "a\0b", "'; DROP TABLE frame; --", "\u{1F50C} ñ \u{FFFD}", "\r\n\t\"\\"];
    let frames: Vec<Record> = (0..).zip(texts).map(|(at, text)| Record::Frame(frame("C1", at, text))).collect();
    writer.commit(frames).await.unwrap();
    let list = reader.frame_list(None, &Page::first(10)).await.unwrap();
    assert_eq!(list.items.iter().rev().map(|frame| frame.text.as_str()).collect::<Vec<_>>(), texts);
}

/// Opening an existing file runs no migration twice, and its tables are those of a new file.
#[tokio::test]
async fn opening_again_leaves_the_tables_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut schemas = Vec::new();
    for _ in 0..2 {
        let (writer, reader) = Store::open(dir.path(), Options::default()).await.unwrap();
        schemas.push(reader.schema().await.unwrap());
        writer.close().await.unwrap();
    }
    assert_eq!(schemas[0], schemas[1]);
    assert!(schemas[0].iter().any(|sql| sql.contains("CREATE TABLE session")));
}

/// Frames are found by what they say, signs of the pattern included, and by when.
#[tokio::test]
async fn frames_are_found_by_text_and_time() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let frames = [(10, "StatusNotification 5%"), (20, "statusnotification"), (30, "Heartbeat"), (40, "MeterValues_x")];
    writer
        .commit(frames.iter().map(|(at, text)| Record::Frame(frame("C1", *at, text))).collect::<Vec<_>>())
        .await
        .unwrap();
    let find = async |text: &str, from: Option<i64>, to: Option<i64>| {
        let filter = store::FrameFilter { text: text.to_owned(), from: from.map(Timestamp), to: to.map(Timestamp) };
        let list = reader.frame_search("C1", &filter, &store::Page::first(10)).await.unwrap();
        list.items.into_iter().map(|frame| frame.at.0).collect::<Vec<_>>()
    };
    assert_eq!(find("STATUS", None, None).await, [20, 10]);
    assert_eq!(find("%", None, None).await, [10]);
    assert_eq!(find("_", None, None).await, [40]);
    assert_eq!(find("", Some(20), Some(40)).await, [30, 20]);
}

/// A timeline begins with the state before it, and a removed charger leaves no facts behind.
#[tokio::test]
async fn timeline_begins_with_the_state_before() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let change = |at, state| {
        let (charger, error) = (charger_id("C1"), String::new());
        Record::StatusChange(domain::StatusChange { charger, connector: None, at: Timestamp(at), state, error })
    };
    let states = [domain::ReportedState::Online, domain::ReportedState::Offline, domain::ReportedState::Online];
    writer
        .commit(states.iter().zip([10, 20, 30]).map(|(state, at)| change(at, *state)).collect::<Vec<_>>())
        .await
        .unwrap();
    let list = reader.status_change_list(&charger_id("C1"), Timestamp(25), Timestamp(40)).await.unwrap();
    assert_eq!(list.iter().map(|it| it.at.0).collect::<Vec<_>>(), [20, 30]);
    writer.commit(one_of_each()).await.unwrap();
    assert_eq!(reader.setup(Timestamp(0)).await.unwrap().facts.len(), 1);
    writer.commit(vec![Record::ChargerRemoved(charger_id("C1"))]).await.unwrap();
    assert_eq!(reader.setup(Timestamp(0)).await.unwrap().facts, []);
}

/// Every term of a tenant survives, and changing one changes neither the number nor the pseudonym.
#[tokio::test]
async fn terms_of_a_tenant_survive() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let mut rich = tenant(1);
    rich.contact = Contact { email: "ana@example.com".to_owned(), phone: "+351 912 000 000".to_owned() };
    rich.language = TenantLanguage::PortugueseBrazil;
    rich.terms = TenantTerms {
        parking_spaces: vec!["12".to_owned(), "12 A".to_owned()],
        chargers: vec![charger_id("C0"), charger_id("C1")],
        charger_use: OwnChargerUse::OwnerPays,
        max_power: Some(Watts(7_400)),
        priority: -3,
        monthly_cap: Some(WattHours(120_000)),
        valid_from: Some(Timestamp(5)),
        valid_until: Some(Timestamp(9)),
        unit_key: Some(UnitKey(12_345)),
    };
    writer.commit(vec![Record::Tenant(rich.clone())]).await.unwrap();
    assert_eq!(reader.setup(Timestamp(0)).await.unwrap().tenants, [rich.clone()]);
    let moved = Tenant { status: TenantStatus::Archived(Timestamp(7)), key: TenantKey(99), ..rich.clone() };
    writer.commit(vec![Record::Tenant(moved.clone())]).await.unwrap();
    assert_eq!(reader.setup(Timestamp(0)).await.unwrap().tenants, [Tenant { key: rich.key, ..moved }]);
}

/// After a tenant is erased no byte of the database holds the name, the contact or the card, while the sums stay.
#[tokio::test]
async fn an_erased_tenant_leaves_no_name_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let mut person = tenant(1);
    person.name = "Zuleika Quaresma".to_owned();
    person.contact = Contact { email: "zuleika@example.com".to_owned(), phone: "912345678".to_owned() };
    writer.commit(vec![Record::Tenant(person.clone()), Record::Card(card(1, "0ABCDEF123", 1))]).await.unwrap();
    writer.commit(vec![Record::Session(ended(1, 10, 20))]).await.unwrap();
    writer.commit(vec![Record::TenantErased(TenantId(1), Timestamp(30))]).await.unwrap();
    let setup = reader.setup(Timestamp(40)).await.unwrap();
    assert_eq!(setup.tenants, [person.erased(Timestamp(30))]);
    assert_eq!(reader.session_get(SessionId(1)).await.unwrap(), Some(ended(1, 10, 20)), "the session stays");
    drop(reader);
    writer.close().await.unwrap();
    let bytes = std::fs::read(dir.path().join("meshwatt.db")).unwrap();
    for trace in ["Zuleika", "zuleika@", "912345678", "0ABCDEF123"] {
        assert!(!bytes.windows(trace.len()).any(|window| window == trace.as_bytes()), "{trace} is still there");
    }
}

/// Sessions are found by number, card, charger, name and flat, by trust, and those nobody pays for alone.
#[tokio::test]
async fn sessions_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let mut stray = ended(3, 30, 40);
    (stray.tenant, stray.card, stray.provenance) = (None, None, Provenance::Estimated);
    let owned = ended(2, 10, 20);
    writer.commit(vec![Record::Tenant(tenant(1)), Record::Session(owned), Record::Session(stray)]).await.unwrap();
    let found = async |filter: SessionFilter| -> Vec<i32> {
        let list = reader.session_list(&filter, &Page::first(10)).await.unwrap();
        list.items.iter().map(|session| session.id.0).collect()
    };
    let text = |text: &str| SessionFilter { text: Some(text.to_owned()), ..SessionFilter::default() };
    assert_eq!(found(text("enant 1")).await, [2]);
    assert_eq!(found(text("2.º")).await, [2]);
    assert_eq!(found(text("3")).await.first(), Some(&3), "a number is the session's number, or in a card");
    assert_eq!(found(text("c1")).await, [3, 2]);
    assert_eq!(found(text("100%_")).await, Vec::<i32>::new(), "signs of SQL mean themselves");
    assert_eq!(found(SessionFilter { owner: store::OwnerFilter::Nobody, ..SessionFilter::default() }).await, [3]);
    let estimated = SessionFilter { provenance: Some(Provenance::Estimated), ..SessionFilter::default() };
    assert_eq!(found(estimated).await, [3]);
}

/// Sums by tenant and hour: whoever charged when, and nothing lost.
#[tokio::test]
async fn usage_adds_up() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = open(dir.path()).await;
    let records: Vec<Record> = (1..=20)
        .map(|id| {
            let mut session = ended(id, i64::from(id) * 7, i64::from(id) * 7 + 13);
            session.tenant = (id % 3 != 0).then_some(TenantId(i64::from(id % 3)));
            session.energy = WattHours(u64::try_from(id).unwrap() * 101);
            Record::Session(session)
        })
        .collect();
    writer.commit(records).await.unwrap();
    let slices =
        (0..20).map(|step| store::Slice { start: Timestamp(step * 10), key: i32::try_from(step % 4).unwrap() });
    let question = store::UsageQuestion {
        tenant: None,
        charger: None,
        group: store::UsageGroup::Tenant,
        slices: slices.collect(),
        to: Timestamp(200),
        now: Timestamp(200),
    };
    let sums = reader.usage(&question).await.unwrap();
    let total: u64 = sums.iter().map(|sum| sum.energy.0).sum();
    assert_eq!(total, (1..=20).map(|id| id * 101).sum::<u64>());
    assert_eq!(sums.iter().map(|sum| sum.sessions).sum::<u32>(), 20);
    assert_eq!(sums.iter().map(|sum| sum.of.clone()).collect::<std::collections::BTreeSet<_>>().len(), 3);
}
