//! Questions about one attribute of a resource, and about the existence of resources.

use palisade_checks::technique::{Predicate, ResourceRef, Selector, Test};
use palisade_model::{Arn, Gap, Observed};
use serde_json::Value;

use super::super::bind::{Bound, Truth};
use super::identity::compare;
use super::{Question, glob, open, unbound};

impl Question<'_, '_> {
    pub(super) fn attribute(&self, of: &ResourceRef, path: &str, test: &Test) -> Truth {
        let Some(Bound::Known(arn)) = self.bound(of) else {
            return unbound(of);
        };
        match self.read(&arn, path) {
            Observed::Gap(gap) => Truth::gap(&gap),
            Observed::Absent | Observed::NotApplicable(_) => match test {
                Test::Missing => Truth::Yes,
                _ => Truth::No,
            },
            Observed::Value(value) => self.tested(&value, test),
        }
    }

    fn tested(&self, value: &Value, test: &Test) -> Truth {
        match test {
            Test::Missing => {
                let empty = matches!(value, Value::Array(all) if all.is_empty());
                (empty || value.is_null() || value.as_str() == Some("")).into()
            }
            Test::Is(wanted) => any(value, |text| text == wanted),
            Test::Like(wanted) => any(value, |text| wanted.iter().any(|one| glob(one, text))),
            Test::In(wanted) => any(value, |text| wanted.iter().any(|one| one == text)),
            Test::Number(comparison) => match value.as_i64() {
                Some(number) => compare(number, *comparison),
                None => Truth::No,
            },
            Test::Names(to) | Test::Includes(to) => match self.bound(to) {
                Some(Bound::Known(arn) | Bound::New(arn)) => texts(value)
                    .iter()
                    .fold(Truth::No, |found, text| found.or(names(text, &arn))),
                Some(Bound::Account(id)) => any(value, |text| text == id),
                _ => unbound(to),
            },
        }
    }

    /// The value of an attribute, whatever shape the resource has in the model.
    fn read(&self, arn: &Arn, path: &str) -> Observed<Value> {
        match arn.service() {
            "lambda" if self.look.function(arn).is_some() => self.of_function(arn, path),
            "s3" if arn.resource().contains('/') => self.of_object(arn, path),
            "s3" if self.look.bucket(arn).is_some() => self.of_bucket(arn, path),
            _ => self.of_listed(arn, path),
        }
    }

    fn of_function(&self, arn: &Arn, path: &str) -> Observed<Value> {
        let Some(function) = self.look.function(arn) else {
            return missing(path);
        };
        match path {
            "role" => Observed::Value(function.role.as_str().into()),
            "runtime" => text(&function.runtime),
            "package_type" if function.package_type.is_empty() => Observed::Value("Zip".into()),
            "package_type" => text(&function.package_type),
            "code_signing" => function.code_signing.clone().map(|arn| arn.as_str().into()),
            "reserved_concurrency" => function.reserved_concurrency.clone().map(Value::from),
            _ => missing(path),
        }
    }

    fn of_bucket(&self, arn: &Arn, path: &str) -> Observed<Value> {
        let Some(bucket) = self.look.bucket(arn) else {
            return missing(path);
        };
        match path {
            // A bucket without ownership controls takes ACLs from writers.
            "ownership" => match &bucket.ownership {
                Observed::Absent => Observed::Value("ObjectWriter".into()),
                other => other.clone().map(Value::from),
            },
            "versioning" => bucket.versioning.clone().map(Value::from),
            "kms_key" => bucket.kms_key.clone().map(|key| key.as_str().into()),
            _ => missing(path),
        }
    }

    fn of_object(&self, arn: &Arn, path: &str) -> Observed<Value> {
        let Some(bucket) = self.look.bucket(arn) else {
            return missing(path);
        };
        match path {
            "bucket" => text(arn.resource().split('/').next().unwrap_or_default()),
            "kms_key" => bucket.kms_key.clone().map(|key| key.as_str().into()),
            "encryption" => match self.look.object(arn) {
                None => bucket.encryption.clone().map(Value::from),
                Some(object) => bucket.encryption_of(object).map(Value::from),
            },
            _ => missing(path),
        }
    }

    fn of_listed(&self, arn: &Arn, path: &str) -> Observed<Value> {
        let Some(resource) = self.look.resource(arn) else {
            return missing(path);
        };
        match path {
            "role" => resource.role.clone().map(|role| role.as_str().into()),
            _ => match resource.attributes.get(path) {
                Some(value) => value.clone(),
                None => missing(path),
            },
        }
    }

    /// Whether there is such a resource in the account, with all of `filter` true of it.
    pub(super) fn exists(&self, what: &ResourceRef, filter: &[Predicate]) -> Truth {
        let name = what.variable().unwrap_or("");
        if let Selector::Var(name) = &what.selector
            && let Some(bound) = self.bindings.get(name)
        {
            return self.with(name, bound.clone(), |question| question.all(filter));
        }
        let near = self.near(what, filter);
        let found = self.look.all_near(what.kind, self.account, near.as_deref());
        let mut answer = Truth::No;
        for (arn, _) in found.resources {
            let one = self.with(name, Bound::Known(arn), |question| question.all(filter));
            if one == Truth::Yes {
                return one;
            }
            answer = answer.or(one);
        }
        found
            .gaps
            .iter()
            .fold(answer, |answer, gap| answer.or(Truth::gap(gap)))
    }

    /// The region of what such a resource would name: services name what lies beside them. A
    /// pipeline may act in other regions.
    fn near(&self, what: &ResourceRef, filter: &[Predicate]) -> Option<String> {
        if what.kind.name() == "codepipeline.pipeline" {
            return None;
        }
        let named = filter.iter().find_map(|predicate| match predicate {
            Predicate::Attribute(_, _, Test::Names(to) | Test::Includes(to)) => self.bound(to),
            _ => None,
        })?;
        let region = named.arn()?.region().to_owned();
        (!region.is_empty()).then_some(region)
    }

    fn all(&self, predicates: &[Predicate]) -> Truth {
        predicates
            .iter()
            .fold(Truth::Yes, |all, predicate| all.and(self.answer(predicate)))
    }
}

fn missing(path: &str) -> Observed<Value> {
    Gap::not_collected(format!("`{path}`")).into()
}

fn text(value: &str) -> Observed<Value> {
    Observed::Value(value.into())
}

/// The texts a value holds; truth values and numbers are written out.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn any(value: &Value, test: impl Fn(&str) -> bool) -> Truth {
    texts(value).iter().any(|text| test(text)).into()
}

/// Whether a text names a resource: its ARN (also with a version or qualifier behind it), its
/// name or id, an object by its `s3://` address, a repository by image or clone address, an
/// identity provider by its issuer. A KMS alias names a key nobody has looked up.
fn names(text: &str, arn: &Arn) -> Truth {
    if let Some(rest) = text.strip_prefix(arn.as_str()) {
        return (rest.is_empty() || rest.starts_with([':', '/'])).into();
    }
    if text.starts_with("alias/") && arn.service() == "kms" {
        return match text.starts_with("alias/aws/") {
            true => Truth::No,
            false => open("kms:ListAliases"),
        };
    }
    if text.starts_with("arn:") {
        return Truth::No;
    }
    let after_slash = arn.resource().split_once('/').map_or("", |(_, path)| path);
    let after_colon = arn.resource().split_once(':').map_or("", |(_, path)| path);
    let own = [arn.name(), arn.resource(), after_slash, after_colon];
    let special = match arn.service() {
        "s3" => text == format!("s3://{}", arn.resource()),
        "iam" => after_slash == text.strip_prefix("https://").unwrap_or(text),
        "codecommit" => text.rsplit("/repos/").next() == Some(arn.resource()),
        "ecr" => image_of(text, arn, after_slash),
        _ => false,
    };
    (special || own.contains(&text)).into()
}

/// `111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/app:tag` or `…@sha256:…`.
fn image_of(image: &str, repository: &Arn, name: &str) -> bool {
    let registry = format!("{}.dkr.ecr.{}.", repository.account(), repository.region());
    let Some(path) = image
        .strip_prefix(&registry)
        .and_then(|rest| rest.split_once('/'))
    else {
        return false;
    };
    path.1.split(['@', ':']).next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_named_in_their_services_ways() {
        for (text, arn, expected) in [
            (
                "arn:aws:lambda:r:1:function:f:live",
                "arn:aws:lambda:r:1:function:f",
                true,
            ),
            (
                "arn:aws:lambda:r:1:function:ff",
                "arn:aws:lambda:r:1:function:f",
                false,
            ),
            ("s3://bucket/a/b.py", "arn:aws:s3:::bucket/a/b.py", true),
            ("bucket", "arn:aws:s3:::bucket", true),
            (
                "https://oidc.eks.r.amazonaws.com/id/X",
                "arn:aws:iam::1:oidc-provider/oidc.eks.r.amazonaws.com/id/X",
                true,
            ),
            (
                "1.dkr.ecr.r.amazonaws.com/team/app:v1",
                "arn:aws:ecr:r:1:repository/team/app",
                true,
            ),
            (
                "1.dkr.ecr.r.amazonaws.com/team/apps",
                "arn:aws:ecr:r:1:repository/team/app",
                false,
            ),
            ("i-1", "arn:aws:ec2:r:1:instance/i-1", true),
            (
                "https://git-codecommit.r.amazonaws.com/v1/repos/app",
                "arn:aws:codecommit:r:1:app",
                true,
            ),
        ] {
            assert_eq!(names(text, &Arn::from(arn)), expected.into(), "{text}");
        }
        let key = Arn::from("arn:aws:kms:r:1:key/k");
        assert_eq!(names("alias/aws/ssm", &key), Truth::No);
        assert!(matches!(names("alias/own", &key), Truth::Unknown(_)));
    }
}
