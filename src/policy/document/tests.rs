use super::*;

fn parse(text: &str) -> Document {
    Document::parse(text).expect("the policy is well formed")
}

#[test]
fn single_values_and_lists_read_alike() {
    let single = parse(r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#);
    let listed = parse(r#"{"Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["*"]}]}"#);
    assert_eq!(single.statements[0].actions, listed.statements[0].actions);
    assert_eq!(
        single.statements[0].resources,
        listed.statements[0].resources
    );
    assert_eq!(single.version, Version::V2008);
}

#[test]
fn a_statement_quotes_itself() {
    let text =
        r#"{"Statement": [ {"Sid":"A","Effect":"Deny","NotAction":"iam:*","Resource":"*"} ]}"#;
    let document = parse(text);
    assert!(
        document
            .quote(&document.statements[0])
            .starts_with(r#"{"Sid":"A""#)
    );
    assert_eq!(document.statements[0].label(), "`A`");
}

#[test]
fn element_names_in_odd_case_are_read_and_noted() {
    let document = parse(
        r#"{"version":"2012-10-17","statement":[{"effect":"Allow","ACTION":"*","resource":"*"}]}"#,
    );
    assert_eq!(document.version, Version::V2012);
    assert_eq!(
        document.statements[0].actions.as_deref(),
        Some(&["*".to_owned()][..])
    );
    assert_eq!(document.notes.len(), 5);
}

#[test]
fn a_repeated_key_is_the_last_one_and_noted() {
    let document = parse(
        r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Action":"ec2:*","Resource":"*",
            "Condition":{"Bool":{"aws:x":"true"},"Bool":{"aws:y":true,"aws:Y":false}}}}"#,
    );
    assert_eq!(
        document.statements[0].actions.as_deref(),
        Some(&["ec2:*".to_owned()][..])
    );
    let conditions = &document.statements[0].conditions;
    assert_eq!(conditions.len(), 1);
    assert_eq!(
        (conditions[0].key.as_str(), conditions[0].values[0].as_str()),
        ("aws:Y", "false")
    );
    assert_eq!(document.notes.len(), 3);
}

#[test]
fn principals_of_every_kind_are_told_apart() {
    let document = parse(
        r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":
            {"AWS":["111122223333",222233334444],"Service":"ec2.amazonaws.com","Federated":"x","CanonicalUser":"y"}}}"#,
    );
    let names = document.statements[0]
        .principal
        .as_deref()
        .expect("it names principals");
    let kinds: Vec<_> = names
        .iter()
        .map(|name| (name.kind, name.value.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (PrincipalKind::Aws, "111122223333"),
            (PrincipalKind::Aws, "222233334444"),
            (PrincipalKind::Service, "ec2.amazonaws.com"),
            (PrincipalKind::Federated, "x"),
            (PrincipalKind::CanonicalUser, "y"),
        ]
    );
}

#[test]
fn an_encoded_document_is_decoded() {
    let document = parse(
        "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D",
    );
    assert_eq!(document.statements[0].effect, Effect::Allow);
}

#[test]
fn what_is_no_policy_is_refused_where_it_stops_being_one() {
    for (text, line, column) in [
        ("[]", 1, 1),
        ("{}", 1, 1),
        ("{\"Version\":\"2013-01-01\",\"Statement\":[]}", 1, 12),
        (
            "{\"Statement\":[\n{\"Effect\":\"allow\",\"Action\":\"*\"}]}",
            2,
            11,
        ),
        ("{\"Statement\":[\n\n{\"Effect\":\"Allow\"}]}", 3, 1),
        (
            "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"NotAction\":\"*\"}}",
            1,
            57,
        ),
        (
            "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":{}}}",
            1,
            41,
        ),
        ("{\"Statement\": oops}", 1, 15),
    ] {
        let error = Document::parse(text).expect_err("it is no policy");
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text}: {error}"
        );
    }
}
