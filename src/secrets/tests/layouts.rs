//! Ways in which files hold a key id and its secret: `@I` and `@S`, `@T` for a session token.

/// Files with one pair each.
pub(crate) const PAIRS: [(&str, &str); 58] = [
    ("keys.txt", "@I/@S\n"),
    ("keys.txt", "@S,@I\n"),
    (
        "x.plist",
        "<key>AWSAccessKey</key>\n<string>@I</string>\n<key>AWSSecretKey</key>\n<string>@S</string>\n",
    ),
    (
        "x.log",
        "DEBUG {'aws_access_key_id': '@I', 'aws_secret_access_key': '@S', 'verify': None}\n",
    ),
    (
        "x.eml",
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nkey=3D@I\r\nsecret=3D@S\r\n",
    ),
    (
        "x.txt",
        "AWS Access Key ID [None]: @I\nAWS Secret Access Key [None]: @S\nDefault region name [None]: \n",
    ),
    (
        "rootkey.csv",
        "Access key ID,Secret access key\r\n@I,@S\r\n",
    ),
    (
        "jane_accessKeys.csv",
        "\u{feff}Access key ID,Secret access key\r\n@I,@S\r\n",
    ),
    (
        "credentials.csv",
        "User name,Access key ID,Secret access key\njane,@I,@S\n",
    ),
    (
        "new_user_credentials.csv",
        "User name,Password,Access key ID,Secret access key,Console login link\njane,,@I,@S,https://111122223333.signin.aws.amazon.com/console\n",
    ),
    (
        "credentials.csv",
        "\"User name\",\"Access key ID\",\"Secret access key\"\n\"jane\",\"@I\",\"@S\"\n",
    ),
    ("keys.tsv", "jane\t@I\t@S\n"),
    ("keys.csv", "jane;@I;@S\n"),
    ("rootkey.csv", "AWSAccessKeyId=@I\r\nAWSSecretKey=@S\r\n"),
    (
        ".aws/credentials",
        "[default]\naws_access_key_id = @I\naws_secret_access_key = @S\nregion = eu-west-1\n",
    ),
    (
        ".aws/credentials",
        "[default]\naws_access_key_id=@I\naws_secret_access_key=@S",
    ),
    (".env", "AWS_ACCESS_KEY_ID=@I\nAWS_SECRET_ACCESS_KEY=@S\n"),
    (
        ".env",
        "AWS_ACCESS_KEY_ID='@I'\nAWS_SECRET_ACCESS_KEY='@S'\n",
    ),
    (
        "run.sh",
        "export AWS_ACCESS_KEY_ID=\"@I\" AWS_SECRET_ACCESS_KEY=\"@S\"\n",
    ),
    ("run.sh", "./sync.sh @I @S eu-west-1\n"),
    ("run.sh", "python upload.py --bucket b \\\n  @I \\\n  @S\n"),
    (
        "run.sh",
        "aws configure set aws_access_key_id @I && aws configure set aws_secret_access_key @S\n",
    ),
    (
        "run.sh",
        "curl --user \"@I:@S\" --aws-sigv4 aws:amz:eu-west-1:s3 https://s3.test\n",
    ),
    (
        "run.ps1",
        "Set-AWSCredential -AccessKey @I -SecretKey @S -StoreAs default\r\n",
    ),
    (".passwd-s3fs", "@I:@S\n"),
    (
        ".s3cfg",
        "[default]\naccess_key = @I\nsecret_key = @S\nuse_https = True\n",
    ),
    (
        "rclone.conf",
        "[s3]\ntype = s3\naccess_key_id = @I\nsecret_access_key = @S\n",
    ),
    (
        ".boto",
        "[Credentials]\naws_access_key_id = @I\naws_secret_access_key = @S\n",
    ),
    (
        "config.json",
        "{\"accessKeyId\": \"@I\", \"secretAccessKey\": \"@S\"}\n",
    ),
    (
        "config.json",
        "{\"a\":1,\"aws\":{\"region\":\"eu-west-1\",\"key\":\"@I\",\"secret\":\"@S\"},\"z\":[1,2,3]}",
    ),
    ("config.json", "[\"@I\",\"@S\"]"),
    (
        "config.json",
        "{\"credentials\":[\"us-east-1\",\"@I\",\"@S\"]}",
    ),
    (
        "response.json",
        "{\"AccessKey\":{\"UserName\":\"jane\",\"Status\":\"Active\",\"CreateDate\":\"2026-01-01T00:00:00Z\",\"SecretAccessKey\":\"@S\",\"AccessKeyId\":\"@I\"}}",
    ),
    (
        "task.json",
        "{\"environment\":[{\"name\":\"AWS_ACCESS_KEY_ID\",\"value\":\"@I\"},{\"name\":\"AWS_SECRET_ACCESS_KEY\",\"value\":\"@S\"}]}",
    ),
    (
        "pod.yaml",
        "env:\n  - name: AWS_ACCESS_KEY_ID\n    value: @I\n  - name: AWS_SECRET_ACCESS_KEY\n    value: \"@S\"\n",
    ),
    (
        "settings.yaml",
        "aws:\n  access_key: @I\n  secret_key: @S\n",
    ),
    (
        "settings.yaml",
        "aws:\n  key:\n    id: @I\n    # rotated every quarter, ask the platform team\n    owner: platform\n    created: 2026-01-01\n  region: eu-west-1\n  buckets:\n    - in\n    - out\n  limits:\n    requests: 100\n    objects: 2000\n  endpoint: https://s3.eu-west-1.amazonaws.com\n  signing:\n    service: s3\n    version: 4\n  material:\n    value: @S\n",
    ),
    (
        "template.yaml",
        "Parameters:\n  Key:\n    Type: String\n    Default: @I\n  SecretKey:\n    Type: String\n    NoEcho: true\n    Default: @S\n",
    ),
    (
        "docker-compose.yml",
        "services:\n  app:\n    environment:\n      - AWS_ACCESS_KEY_ID=@I\n      - AWS_SECRET_ACCESS_KEY=@S\n",
    ),
    (
        "Dockerfile",
        "FROM scratch\nENV AWS_ACCESS_KEY_ID @I\nENV AWS_SECRET_ACCESS_KEY @S\n",
    ),
    ("app.properties", "aws.accessKeyId=@I\naws.secretKey=@S\n"),
    (
        "core-site.xml",
        "<property><name>fs.s3a.access.key</name><value>@I</value></property>\n<property><name>fs.s3a.secret.key</name><value>@S</value></property>\n",
    ),
    (
        "web.config",
        "<add key=\"AWSAccessKey\" value=\"@I\" />\n<add key=\"AWSSecretKey\" value=\"@S\" />\n",
    ),
    (
        "main.tf",
        "provider \"aws\" {\n  access_key = \"@I\"\n  secret_key = \"@S\"\n}\n",
    ),
    (
        "terraform.tfstate",
        "{\"version\":4,\"terraform_version\":\"1.9.0\",\"resources\":[{\"type\":\"aws_iam_access_key\",\"instances\":[{\"attributes\":{\"create_date\":\"2026-01-01T00:00:00Z\",\"encrypted_secret\":null,\"id\":\"@I\",\"key_fingerprint\":null,\"pgp_key\":null,\"secret\":\"@S\",\"status\":\"Active\",\"user\":\"ci\"}}]}]}",
    ),
    (
        "app.py",
        "client = boto3.client('s3', aws_access_key_id='@I', aws_secret_access_key='@S')\n",
    ),
    ("app.py", "KEY, SECRET = \"@I\", \"@S\"\n"),
    ("App.java", "new BasicAWSCredentials(\"@I\", \"@S\");\n"),
    (
        "app.js",
        "new S3({credentials:{accessKeyId:\"@I\",secretAccessKey:\"@S\"}})",
    ),
    (
        "app.go",
        "credentials.NewStaticCredentialsProvider(\"@I\", \"@S\", \"\")\n",
    ),
    (
        "app.rb",
        "Aws.config.update(access_key_id: '@I', secret_access_key: '@S')\n",
    ),
    (
        "app.php",
        "'credentials' => ['key' => '@I', 'secret' => '@S'],\n",
    ),
    (
        "work.ipynb",
        "{\"cells\":[{\"source\":[\"import os\\n\",\"os.environ['AWS_ACCESS_KEY_ID'] = '@I'\\n\",\"os.environ['AWS_SECRET_ACCESS_KEY'] = '@S'\\n\"]}]}",
    ),
    (
        "work.ipynb",
        "{\"cells\":[{\"outputs\":[{\"text\":[\"Access key ID,Secret access key\\n\",\"@I,@S\\n\"]}]}]}",
    ),
    (
        "work.ipynb",
        "{\"cells\":[{\"source\":[\"s3 = connect(\\\"@I\\\", \\\"@S\\\")\\n\"]}]}",
    ),
    (
        ".bash_history",
        "ls\nAWS_ACCESS_KEY_ID=@I AWS_SECRET_ACCESS_KEY=@S aws s3 ls\nexit\n",
    ),
    (
        "README.md",
        "| Access key | Secret |\n|---|---|\n| `@I` | `@S` |\n",
    ),
    (
        "mail.txt",
        "Hi,\nyour key is @I\nand the other part:\n@S\nbye\n",
    ),
];

/// Files with a key id, a secret and a session token.
pub(crate) const SESSIONS: [(&str, &str); 6] = [
    (
        ".aws/credentials",
        "[tmp]\naws_access_key_id = @I\naws_secret_access_key = @S\naws_session_token = @T\n",
    ),
    (
        "run.sh",
        "export AWS_ACCESS_KEY_ID=@I\nexport AWS_SECRET_ACCESS_KEY=@S\nexport AWS_SESSION_TOKEN=@T\n",
    ),
    (
        "cache.json",
        "{\"Credentials\": {\"AccessKeyId\": \"@I\", \"SecretAccessKey\": \"@S\", \"SessionToken\": \"@T\", \"Expiration\": \"2026-11-01T12:00:00Z\"}}",
    ),
    (
        "imds.json",
        "{\n  \"Code\" : \"Success\",\n  \"Type\" : \"AWS-HMAC\",\n  \"AccessKeyId\" : \"@I\",\n  \"SecretAccessKey\" : \"@S\",\n  \"Token\" : \"@T\"\n}",
    ),
    (
        "work.ipynb",
        "{\"source\":[\"creds = ('@I', '@S',\\n\",\"         '@T')\\n\"]}",
    ),
    (
        "env.txt",
        "AWS_SESSION_TOKEN=@T\nAWS_SECRET_ACCESS_KEY=@S\nAWS_ACCESS_KEY_ID=@I\n",
    ),
];
