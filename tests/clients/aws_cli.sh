#!/usr/bin/env bash
# Reads a served world with the AWS CLI, a client this project did not write.
# usage: aws_cli.sh ENDPOINT      (exit code 1 at the first call that fails)
set -euo pipefail
export AWS_ENDPOINT_URL=$1 AWS_ACCESS_KEY_ID=palisade AWS_SECRET_ACCESS_KEY=palisade
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_PAGER="" AWS_MAX_ATTEMPTS=1

try() { aws "$@" --output json > /dev/null || { echo "aws $*: failed" >&2; exit 1; }; }

try sts get-caller-identity
try iam get-account-authorization-details
try iam list-users
try iam list-roles
try iam generate-credential-report
try iam get-account-summary
try account list-regions
try ec2 describe-regions
try s3api list-buckets
for bucket in $(aws s3api list-buckets --query 'Buckets[].Name' --output text); do
    try s3api get-bucket-acl --bucket "$bucket"
    try s3api get-bucket-location --bucket "$bucket"
    try s3api list-objects-v2 --bucket "$bucket"
    aws s3 ls "s3://$bucket" --recursive > /dev/null
done
try lambda list-functions
try guardduty list-detectors
try inspector2 batch-get-account-status
try configservice describe-configuration-recorders
try cloudtrail describe-trails
try accessanalyzer list-analyzers
try events list-rules
try sns list-topics
try cloudwatch describe-alarms
try logs describe-metric-filters
try kms list-keys
echo "aws cli: every call was answered"
