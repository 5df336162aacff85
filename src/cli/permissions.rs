//! `palisade permissions`: the exact read-only policy that a scan needs, made from the table of
//! calls.

use palisade_model::{scan_actions, scan_policy};
use serde_json::json;

use super::exit::Exit;
use super::output;
use crate::ui::Voice;

/// The most characters of a managed policy that IAM counts. Source: "IAM and AWS STS quotas",
/// IAM User Guide: white space is not counted.
const MANAGED_POLICY_LIMIT: usize = 6_144;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade permissions > palisade-scan.json
  palisade permissions --content -f cloudformation > scan.template.json")]
pub(crate) struct Args {
    /// Add what `--read-content` needs: reading objects
    #[arg(long)]
    content: bool,
    /// json is the policy; cloudformation and terraform make the role that holds it
    #[arg(short, long, default_value = "json", value_parser = ["json", "cloudformation", "terraform"])]
    format: String,
    /// The account that scans: who may assume the role in cloudformation and terraform
    #[arg(long, value_name = "ID", value_parser = account)]
    trusted_account: Option<String>,
}

fn account(text: &str) -> Result<String, String> {
    let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        Ok(text.to_owned())
    } else {
        Err("an account id has twelve digits".to_owned())
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, _: Voice) -> anyhow::Result<Exit> {
    let text = match args.format.as_str() {
        "cloudformation" => cloudformation(args)?,
        "terraform" => terraform(args)?,
        _ => scan_policy(args.content) + "\n",
    };
    output::stdout(&text)?;
    Ok(Exit::Passed)
}

/// The scan policy cut into documents that each fit a managed policy, no service torn apart.
fn documents(content: bool) -> Vec<serde_json::Value> {
    let document = |actions: &[&str]| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
        })
    };
    let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
    for action in scan_actions(content) {
        let fits = |part: &Vec<&str>| {
            let all: Vec<&str> = part.iter().copied().chain([action]).collect();
            document(&all).to_string().len() <= MANAGED_POLICY_LIMIT
        };
        match parts.last_mut().filter(|part| fits(part)) {
            Some(part) => part.push(action),
            None => parts.push(vec![action]),
        }
    }
    parts.iter().map(|part| document(part)).collect()
}

fn cloudformation(args: &Args) -> anyhow::Result<String> {
    let policies = documents(args.content);
    let mut resources = serde_json::Map::new();
    let mut attached = Vec::new();
    for (index, document) in policies.iter().enumerate() {
        let name = format!("ScanPolicy{}", index + 1);
        attached.push(json!({ "Ref": name }));
        resources.insert(
            name,
            json!({ "Type": "AWS::IAM::ManagedPolicy", "Properties": { "PolicyDocument": document } }),
        );
    }
    let trusted = match &args.trusted_account {
        Some(account) => json!(account),
        None => json!({ "Ref": "TrustedAccount" }),
    };
    let mut condition = json!({});
    if args.trusted_account.is_none() {
        condition = json!({ "TrustedAccount": { "Type": "String", "AllowedPattern": "\\d{12}",
            "Description": "The account that scans" } });
    }
    resources.insert(
        "ScanRole".to_owned(),
        json!({
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "palisade-scan",
                "Description": "Read-only: what palisade needs to scan this account",
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Principal": { "AWS": trusted },
                        "Action": "sts:AssumeRole",
                    }],
                },
                "ManagedPolicyArns": attached,
            },
        }),
    );
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The read-only role that palisade scans with",
        "Parameters": condition,
        "Resources": resources,
    });
    Ok(serde_json::to_string_pretty(&template)? + "\n")
}

fn terraform(args: &Args) -> anyhow::Result<String> {
    let mut text = String::new();
    let principal = match &args.trusted_account {
        Some(account) => format!("\"{account}\""),
        None => {
            text.push_str("variable \"trusted_account\" {\n  type        = string\n  description = \"The account that scans\"\n}\n\n");
            "var.trusted_account".to_owned()
        }
    };
    text.push_str(&format!(
        "resource \"aws_iam_role\" \"palisade_scan\" {{\n  name        = \"palisade-scan\"\n  \
         description = \"Read-only: what palisade needs to scan this account\"\n  \
         assume_role_policy = jsonencode({{\n    Version = \"2012-10-17\"\n    \
         Statement = [{{ Effect = \"Allow\", Principal = {{ AWS = {principal} }}, Action = \"sts:AssumeRole\" }}]\n  }})\n}}\n"
    ));
    for (index, document) in documents(args.content).iter().enumerate() {
        let number = index + 1;
        text.push_str(&format!(
            "\nresource \"aws_iam_policy\" \"palisade_scan_{number}\" {{\n  name   = \"palisade-scan-{number}\"\n  \
             policy = <<-JSON\n{}\n  JSON\n}}\n\nresource \"aws_iam_role_policy_attachment\" \"palisade_scan_{number}\" {{\n  \
             role       = aws_iam_role.palisade_scan.name\n  policy_arn = aws_iam_policy.palisade_scan_{number}.arn\n}}\n",
            serde_json::to_string_pretty(document)?
        ));
    }
    Ok(text)
}
