//! Questions about functions, instances, buckets and what runs where.

use palisade_checks::technique::{Kind, Predicate, Qualifier, TemplateVersion};
use palisade_model::{Arn, Gap, GapKind, Observed, Region, Resource};
use serde_json::Value;

use super::super::bind::Truth;
use super::{Question, observed, open};

impl<'a> Question<'_, 'a> {
    pub(super) fn workload(&self, predicate: &Predicate) -> Option<Truth> {
        use Predicate as P;
        Some(match predicate {
            P::Triggered(function, on) => self.known(function, |arn| self.triggered(arn, *on)),
            P::OpenUrl(function) => self.known(function, |arn| {
                let Some(function) = self.look.function(arn) else {
                    return open("lambda:ListFunctions");
                };
                observed(&function.urls, Truth::No, |urls| {
                    urls.iter().any(|url| url.auth == "NONE").into()
                })
            }),
            P::SignedCodeOnly(function) => self.known(function, |arn| self.signed_only(arn)),
            P::CredentialIn(place, whose) => self.both(place, whose, |place, whose| {
                self.credential_in(place, whose)
            }),
            P::LeakedKey(user) => self.known(user, |user| self.leaked_key(user)),
            P::SsmManaged(instance) => self.known(instance, |arn| self.managed(arn)),
            P::InternetFacing(instance, port) => {
                self.known(instance, |arn| self.internet_facing(arn, *port))
            }
            P::LaunchedFrom(template, version) => {
                self.known(template, |arn| self.launched_from(arn, *version))
            }
            P::RunsWith(on, role) => self.both(on, role, |on, role| self.runs_with(on, role)),
            P::SameVpc(a, b) => self.both(a, b, |a, b| {
                match (self.field(a, "vpc_id"), self.field(b, "vpc_id")) {
                    (Ok(Some(a)), Ok(Some(b))) => (a == b).into(),
                    (Err(gap), _) | (_, Err(gap)) => Truth::gap(&gap),
                    _ => Truth::No,
                }
            }),
            P::RunByRule(what) => self.known(what, |arn| self.run_by_rule(arn)),
            P::PublicPolicyBlocked(bucket) => self.known(bucket, |arn| self.policy_blocked(arn)),
            P::SharingBlocked(what) => self.known(what, |arn| self.sharing_blocked(arn)),
            _ => return None,
        })
    }

    fn region(&self, arn: &Arn) -> Option<&'a Region> {
        self.look.account(arn)?.regions.value()?.get(arn.region())
    }

    /// Event source mappings, rules and subscriptions are read; a permission for a service to
    /// invoke says only that a trigger may stand there.
    fn triggered(&self, arn: &Arn, on: Qualifier) -> Truth {
        let (Some(function), Some(region)) = (self.look.function(arn), self.region(arn)) else {
            return open("lambda:ListFunctions");
        };
        let fits = |target: &Arn| qualifier(target, arn) == Some(on);
        let mapped = observed(&function.event_sources, Truth::No, |sources| {
            let mut sources = sources.iter();
            sources
                .any(|source| source.state == "Enabled" && fits(&source.function))
                .into()
        });
        let ruled = observed(&region.buses, Truth::No, |buses| {
            buses.values().fold(Truth::No, |any, bus| {
                any.or(observed(&bus.rules, Truth::No, |rules| {
                    let on = rules.values().filter(|rule| rule.state != "DISABLED");
                    on.fold(Truth::No, |any, rule| {
                        any.or(observed(&rule.targets, Truth::No, |targets| {
                            targets.iter().any(|target| fits(&target.arn)).into()
                        }))
                    })
                }))
            })
        });
        let subscribed = observed(&region.topics, Truth::No, |topics| {
            topics.values().fold(Truth::No, |any, topic| {
                any.or(observed(&topic.subscriptions, Truth::No, |all| {
                    let ends = all.iter().filter_map(|one| one.endpoint.as_ref());
                    ends.into_iter().any(fits).into()
                }))
            })
        });
        let known = mapped.or(ruled).or(subscribed);
        if known == Truth::Yes {
            return known;
        }
        known.or(self.service_may_invoke(arn, on))
    }

    /// Whether an enabled rule of the region has it as a target, with or without a version.
    fn run_by_rule(&self, arn: &Arn) -> Truth {
        let Some(region) = self.region(arn) else {
            return open("events:ListRules");
        };
        let fits = |target: &Arn| {
            let rest = target.as_str().strip_prefix(arn.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        observed(&region.buses, Truth::No, |buses| {
            let rules = buses.values().map(|bus| {
                observed(&bus.rules, Truth::No, |rules| {
                    let on = rules.values().filter(|rule| rule.state != "DISABLED");
                    on.fold(Truth::No, |any, rule| {
                        any.or(observed(&rule.targets, Truth::No, |targets| {
                            targets.iter().any(|target| fits(&target.arn)).into()
                        }))
                    })
                })
            });
            rules.fold(Truth::No, Truth::or)
        })
    }

    fn service_may_invoke(&self, arn: &Arn, on: Qualifier) -> Truth {
        const CALLERS: [&str; 7] = [
            "apigateway.amazonaws.com",
            "s3.amazonaws.com",
            "elasticloadbalancing.amazonaws.com",
            "cognito-idp.amazonaws.com",
            "config.amazonaws.com",
            "bedrock.amazonaws.com",
            "logs.amazonaws.com",
        ];
        if on == Qualifier::Alias {
            return Truth::No;
        }
        let Some(function) = self.look.function(arn) else {
            return Truth::No;
        };
        observed(&function.policy, Truth::No, |text| {
            match self.look.document(text) {
                Ok(document) => {
                    let allows = document.statements.iter();
                    let allows = allows.filter(|s| s.effect == crate::policy::Effect::Allow);
                    let mut names = allows.flat_map(|s| s.principal.iter().flatten());
                    match names.any(|name| CALLERS.contains(&name.value.as_str())) {
                        true => Truth::gap(&Gap::new("the trigger itself", GapKind::NotCollected)),
                        false => Truth::No,
                    }
                }
                Err(_) => open("lambda:GetPolicy"),
            }
        })
    }

    /// A code signing configuration refuses unsigned code or only warns: which, stands in the
    /// configuration.
    fn signed_only(&self, arn: &Arn) -> Truth {
        let Some(function) = self.look.function(arn) else {
            return open("lambda:ListFunctions");
        };
        observed(&function.code_signing, Truth::No, |config| {
            match self.field(config, "untrusted_artifact_on_deployment") {
                Ok(policy) => (policy.as_deref() == Some("Enforce")).into(),
                Err(gap) => Truth::gap(&gap),
            }
        })
    }

    fn managed(&self, instance: &Arn) -> Truth {
        let Some(region) = self.region(instance) else {
            return open("ssm:DescribeInstanceInformation");
        };
        match region.resources.get("ssm.managed-instance") {
            None => open("ssm:DescribeInstanceInformation"),
            Some(listing) => observed(listing, Truth::No, |nodes| {
                match nodes.get(instance.name()) {
                    None => Truth::No,
                    Some(node) => match node.attributes.get("ping_status") {
                        Some(status) => observed(status, Truth::No, |status| {
                            (status.as_str() == Some("Online")).into()
                        }),
                        None => open("ssm:DescribeInstanceInformation"),
                    },
                }
            }),
        }
    }

    /// A public address, and a rule of one of its security groups that lets the world in. The
    /// route to an internet gateway is taken for granted: an address without one is idle.
    fn internet_facing(&self, instance: &Arn, port: Option<u16>) -> Truth {
        match self.field(instance, "public_ip_address") {
            Ok(Some(_)) => {}
            Ok(None) => return Truth::No,
            Err(gap) => return Truth::gap(&gap),
        }
        let groups = match self.fields(instance, "security_groups") {
            Ok(groups) => groups,
            Err(gap) => return Truth::gap(&gap),
        };
        if let Some(rules) = self.listing(instance, "ec2.security-group-rule") {
            return observed(rules, Truth::No, |rules| {
                let mut rules = rules.values();
                rules.any(|rule| opens(rule, &groups, port)).into()
            });
        }
        let Some(known) = self.listing(instance, "ec2.security-group") else {
            return open("ec2:DescribeSecurityGroups");
        };
        observed(known, Truth::No, |known| {
            let own = groups.iter().filter_map(|group| known.get(group));
            own.fold(Truth::No, |any, group| {
                any.or(lets_the_world_in(group, port))
            })
        })
    }

    fn listing(
        &self,
        near: &Arn,
        kind: &str,
    ) -> Option<&'a Observed<std::collections::BTreeMap<String, Resource>>> {
        self.region(near)?.resources.get(kind)
    }

    /// Whether an Auto Scaling group launches this version of a template.
    fn launched_from(&self, template: &Arn, version: TemplateVersion) -> Truth {
        let Some(groups) = self.listing(template, "autoscaling.group") else {
            return open("autoscaling:DescribeAutoScalingGroups");
        };
        let wanted = match version {
            TemplateVersion::Default => "$Default",
            TemplateVersion::Latest => "$Latest",
        };
        observed(groups, Truth::No, |groups| {
            groups.values().fold(Truth::No, |any, group| {
                let ids = texts(group.attributes.get("launch_template"));
                let versions = texts(group.attributes.get("launch_template_version"));
                any.or(match (ids, versions) {
                    (Ok(ids), Ok(versions)) => {
                        let names = ids.iter().any(|id| id == template.name());
                        // No version is the default version.
                        let runs = versions.iter().any(|v| v == wanted)
                            || (versions.is_empty() && version == TemplateVersion::Default);
                        (names && runs).into()
                    }
                    (Err(gap), _) | (_, Err(gap)) => Truth::gap(&gap),
                })
            })
        })
    }

    /// Whether something placed on a container host or in a cluster runs as the role.
    fn runs_with(&self, on: &Arn, role: &Arn) -> Truth {
        let (kinds, field): (&[&str], &str) = match on.service() {
            "ecs" => (&["ecs.task"], "container_instance"),
            "eks" => (
                &["eks.nodegroup", "eks.pod-identity-association"],
                "cluster",
            ),
            _ => return open(format!("what runs on `{on}`")),
        };
        let mut answer = Truth::No;
        for name in kinds {
            let Some(kind) = Kind::named(name) else {
                continue;
            };
            let found = self.look.all_near(kind, on.account(), Some(on.region()));
            for (arn, _) in found
                .resources
                .iter()
                .filter(|(arn, _)| arn.region() == on.region())
            {
                let here = match self.field(arn, field) {
                    Ok(Some(place)) => place == on.as_str() || place == on.name(),
                    Ok(None) => false,
                    Err(gap) => {
                        answer = answer.or(Truth::gap(&gap));
                        continue;
                    }
                };
                if here {
                    answer = answer.or(self.runs_as(arn, role));
                }
            }
            answer = found
                .gaps
                .iter()
                .fold(answer, |all, gap| all.or(Truth::gap(gap)));
        }
        answer
    }

    /// A task runs as the role of its definition.
    fn runs_as(&self, workload: &Arn, role: &Arn) -> Truth {
        let definition = match self.field(workload, "task_definition") {
            Ok(Some(definition)) if workload.service() == "ecs" => Arn::from(definition),
            _ => workload.clone(),
        };
        match self.look.resource(&definition) {
            Some(resource) => observed(&resource.role, Truth::No, |own| (own == role).into()),
            None => open("ecs:DescribeTaskDefinition"),
        }
    }

    fn policy_blocked(&self, arn: &Arn) -> Truth {
        let (Some(account), Some(bucket)) = (self.look.account(arn), self.look.bucket(arn)) else {
            return open("s3:GetBucketPublicAccessBlock");
        };
        let of_account = &account.s3.public_access_block;
        observed(of_account, Truth::No, |block| {
            block.block_public_policy.into()
        })
        .or(observed(&bucket.public_access_block, Truth::No, |block| {
            block.block_public_policy.into()
        }))
    }

    /// A snapshot's ARN names no account: it is one of the account that is looked at.
    fn sharing_blocked(&self, snapshot: &Arn) -> Truth {
        const KIND: &str = "ec2.snapshot-block-public-access";
        let account = self.look.snapshot.accounts.get(self.account);
        let region = account.and_then(|account| account.regions.value()?.get(snapshot.region()));
        let Some(states) = region.and_then(|region| region.resources.get(KIND)) else {
            return open("ec2:GetSnapshotBlockPublicAccessState");
        };
        observed(states, Truth::No, |states| {
            states.values().fold(Truth::No, |any, state| {
                any.or(match texts(state.attributes.get("state")) {
                    Ok(texts) => texts.iter().any(|text| text == "block-all-sharing").into(),
                    Err(gap) => Truth::gap(&gap),
                })
            })
        })
    }

    /// One text attribute; `None` where the service said there is none.
    fn field(&self, arn: &Arn, name: &str) -> Result<Option<String>, Gap> {
        self.fields(arn, name).map(|all| all.into_iter().next())
    }

    fn fields(&self, arn: &Arn, name: &str) -> Result<Vec<String>, Gap> {
        match self.look.resource(arn) {
            Some(resource) => texts(resource.attributes.get(name)),
            None => Err(Gap::not_collected(format!("`{name}` of {arn}"))),
        }
    }
}

/// The texts of an attribute; a gap where it was not read.
fn texts(value: Option<&Observed<Value>>) -> Result<Vec<String>, Gap> {
    match value {
        Some(Observed::Value(Value::Array(all))) => Ok(all
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect()),
        Some(Observed::Value(Value::String(text))) => Ok(vec![text.clone()]),
        Some(Observed::Value(other)) => Ok(vec![other.to_string()]),
        Some(Observed::Absent | Observed::NotApplicable(_)) => Ok(Vec::new()),
        Some(Observed::Gap(gap)) => Err((**gap).clone()),
        None => Err(Gap::not_collected("an attribute nobody read")),
    }
}

/// Which version of `function` a target's ARN runs; `None` for another function.
fn qualifier(target: &Arn, function: &Arn) -> Option<Qualifier> {
    match target.as_str().strip_prefix(function.as_str())? {
        "" | ":$LATEST" => Some(Qualifier::Latest),
        rest if rest.starts_with(':') => Some(Qualifier::Alias),
        _ => None,
    }
}

/// Whether a security group lets the whole internet in on some port. On which one, its flattened
/// ranges do not tell.
fn lets_the_world_in(group: &Resource, port: Option<u16>) -> Truth {
    let ranges = match texts(group.attributes.get("ingress_cidrs")) {
        Ok(ranges) => ranges,
        Err(gap) => return Truth::gap(&gap),
    };
    let world = ranges
        .iter()
        .any(|range| range == "0.0.0.0/0" || range == "::/0");
    match port {
        _ if !world => Truth::No,
        None => Truth::Yes,
        Some(_) => open("ec2:DescribeSecurityGroupRules"),
    }
}

/// Whether a security group rule lets the whole internet in, on this port.
fn opens(rule: &Resource, groups: &[String], port: Option<u16>) -> bool {
    let one = |name: &str| {
        let value = rule.attributes.get(name);
        texts(value).ok().and_then(|all| all.into_iter().next())
    };
    let world = one("cidr_ipv4").as_deref() == Some("0.0.0.0/0")
        || one("cidr_ipv6").as_deref() == Some("::/0");
    let inbound = one("is_egress").as_deref() != Some("true");
    let ours = one("group_id").is_some_and(|group| groups.contains(&group));
    let number = |name: &str| one(name).and_then(|text| text.parse::<i64>().ok());
    let (from, to) = (
        number("from_port").unwrap_or(-1),
        number("to_port").unwrap_or(-1),
    );
    let tcp = matches!(one("ip_protocol").as_deref(), Some("tcp" | "6" | "-1"));
    let covers = match port {
        None => true,
        Some(port) => tcp && (from == -1 || (from..=to).contains(&i64::from(port))),
    };
    world && inbound && ours && covers
}
