# A small estate for a second opinion: one way to administrator, one open bucket, and beside them
# the same things done right. Everything here is made up; it is applied to a moto server only.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  region                      = "eu-central-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = false
  s3_use_path_style           = true
}

data "aws_caller_identity" "current" {}

# The way up: who may hand a powerful role to a function of his own making is as powerful.

resource "aws_iam_role" "deployer" {
  name = "deployer-exec"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "deployer" {
  name   = "everything"
  role   = aws_iam_role.deployer.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}

# The same, done right: the only role that `painter` may hand on can do next to nothing.

resource "aws_iam_role" "thumbnails" {
  name               = "thumbnails-exec"
  assume_role_policy = aws_iam_role.deployer.assume_role_policy
}

resource "aws_iam_role_policy" "thumbnails" {
  name = "logs"
  role = aws_iam_role.thumbnails.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "logs:PutLogEvents", Resource = "*" }]
  })
}

# Each of them may make functions, and hand on one role.

locals {
  ships = {
    builder = aws_iam_role.deployer.arn
    painter = aws_iam_role.thumbnails.arn
  }
}

resource "aws_iam_user" "shipper" {
  for_each = local.ships
  name     = each.key
  tags     = { team = "build" }
}

resource "aws_iam_access_key" "shipper" {
  for_each = local.ships
  user     = aws_iam_user.shipper[each.key].name
}

resource "aws_iam_user_policy" "shipper" {
  for_each = local.ships
  name     = "ship-functions"
  user     = aws_iam_user.shipper[each.key].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["lambda:CreateFunction", "lambda:InvokeFunction"], Resource = "*" },
      { Effect = "Allow", Action = "iam:PassRole", Resource = each.value },
    ]
  })
}

# An open bucket with a settings file, and a closed one with the same file.

resource "aws_s3_bucket" "corpus" {
  bucket = "palisade-tf-corpus"
}

resource "aws_s3_bucket_public_access_block" "corpus" {
  bucket                  = aws_s3_bucket.corpus.id
  block_public_acls       = false
  block_public_policy     = false
  ignore_public_acls      = false
  restrict_public_buckets = false
}

resource "aws_s3_bucket_policy" "corpus" {
  bucket     = aws_s3_bucket.corpus.id
  depends_on = [aws_s3_bucket_public_access_block.corpus]
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Everybody"
      Effect    = "Allow"
      Principal = "*"
      Action    = ["s3:GetObject", "s3:ListBucket"]
      Resource  = [aws_s3_bucket.corpus.arn, "${aws_s3_bucket.corpus.arn}/*"]
    }]
  })
}

resource "aws_s3_object" "open" {
  bucket  = aws_s3_bucket.corpus.id
  key     = "config/.env"
  content = "LOG_LEVEL=debug\n"
}

resource "aws_s3_bucket" "ledger" {
  bucket = "palisade-tf-ledger"
}

resource "aws_s3_bucket_public_access_block" "ledger" {
  bucket                  = aws_s3_bucket.ledger.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_object" "closed" {
  bucket  = aws_s3_bucket.ledger.id
  key     = "config/.env"
  content = "LOG_LEVEL=debug\n"
}

resource "aws_guardduty_detector" "on" {
  enable = true
}

output "account" {
  value = data.aws_caller_identity.current.account_id
}
