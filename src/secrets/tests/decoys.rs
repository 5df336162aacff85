//! Text that looks like credentials and holds none.

use crate::draw::{Draw, encode};

/// Files without a credential: name and content.
pub(crate) fn decoys(draw: &mut Draw) -> Vec<(&'static str, String)> {
    let id = draw.key_id("AKIA", 111_122_223_333);
    let temporary = draw.key_id("ASIA", 111_122_223_333);
    let mut out: Vec<(&str, String)> = vec![
        ("docs.md", format!("aws_access_key_id = AKIAIOSFODNN7{}\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/{}\n", "EXAMPLE", "bPxRfiCYEXAMPLEKEY")),
        (".env", "AWS_ACCESS_KEY_ID=AKIAXXXXXXXXXXXXXXXX\nAWS_SECRET_ACCESS_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".into()),
        (".env", "DB_PASSWORD=changeme\nAPI_KEY=your-api-key-here\nTOKEN=${TOKEN}\nSECRET_KEY=<your secret key>\n".into()),
        (".env", "AWS_SECRET_ACCESS_KEY=$(vault read -field=secret aws/key)\nPASSWORD={{ vault_password }}\n".into()),
        (".env", "SESSION_SECRET=supersecret\nJWT_SECRET=my-super-secret-key\nADMIN_PASSWORD=Password123!\n".into()),
        ("log.txt", format!("commit {} Merge branch\ncommit {}\n", draw.hex(40), draw.hex(40))),
        ("log.txt", format!("GIT_SHA={}\nsecret scan of {} clean\n", draw.hex(40), draw.hex(40))),
        ("package-lock.json", format!("\"integrity\": \"sha512-{}==\"\n\"resolved\": \"https://registry.test/a/-/a-1.0.0.tgz\"\n", draw.base64(86))),
        ("yarn.lock", format!("  integrity sha1-{}=\n", draw.base64(27))),
        ("go.sum", format!("example.org/x v1.0.0 h1:{}=\n", draw.base64(43))),
        ("page.html", format!("<img src=\"data:image/png;base64,{}\">\n", draw.base64(4000))),
        ("work.ipynb", format!("\"image/png\": \"{}\\n\"\n", draw.base64(6000))),
        ("cert.txt", draw.pem("CERTIFICATE")),
        ("key.pub.txt", draw.pem("PUBLIC KEY")),
        ("code.py", "key = key.replace('-----BEGIN PRIVATE KEY-----', '').replace('-----END PRIVATE KEY-----', '')\n".into()),
        ("doc.md", "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----\n".into()),
        ("trail.json", format!("{{\"accessKeyId\":\"{temporary}\",\"requestID\":\"{}\",\"eventID\":\"{}\"}}", draw.hex(16), draw.fill("<h8>-<h4>-<h4>-<h4>-<h12>"))),
        ("trail.json", format!("{{\"principalId\":\"AROA{}:session\",\"userId\":\"AIDA{}\"}}", &id[4..], &id[4..])),
        ("ids.txt", format!("x{id} {} {id}A\n", id.to_lowercase())),
        ("words.txt", "AUSTRALASIANECONOMICSOCIETY AKIAHASNOTHINGTODO\n".into()),
        ("nonce.txt", format!("nonce: {}\n", draw.secret())),
        ("secret.yaml", format!("secret: {}\n", draw.hex(40))),
        ("secret.yaml", format!("secret: {}\n", draw.base64(64))),
        ("secret.yaml", "secret: com/amazonaws/services/s3/AmazonS3Client7\n".into()),
        ("code.java", "AWSSecretsManagerGetSecretValue2017Exception secretKey = SomeVeryLongClassNameWithFortyLetters2019();\n".into()),
        ("tokens.txt", format!("ghp_{}\n", "x".repeat(36))),
        ("tokens.txt", format!("ghp_{}\n", draw.alnum(36))),
        ("tokens.txt", format!("ghp_{} too short\n", draw.alnum(30))),
        ("tokens.txt", format!("sk_test_{}\npk_live_{}\n", draw.alnum(24), draw.alnum(24))),
        ("tokens.txt", format!("sk-{}\n", draw.alnum(20))),
        ("tokens.txt", "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nnpm_config_registry\nglpat-xxxxxxxxxxxxxxxxxxxx\n".into()),
        ("tokens.txt", "xoxb-your-token-here\nhttps://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX\n".into()),
        ("urls.txt", "postgres://user:password@localhost:5432/db\nmysql://root:root@127.0.0.1/x\nredis://:changeme@cache:6379\n".into()),
        ("urls.txt", "postgres://${DB_USER}:${DB_PASS}@db/x\nmongodb://<user>:<password>@host/db\nhttps://user:pass@example.com/\n".into()),
        ("urls.txt", "https://www.corp.test/a/b?x=1@2\nhttps://github.com/o/r/blob/main/README.md#L1\nsee http://[::1]:8080/\n".into()),
        ("uuid.txt", draw.fill("id: <h8>-<h4>-<h4>-<h4>-<h12>\ntoken_id: <h8>-<h4>-<h4>-<h4>-<h12>\n")),
        ("sums.sha256", format!("{}  file.tar.gz\n{}  other\n", draw.hex(64), draw.hex(64))),
        ("sums.md5", format!("{}  file.tar.gz\n", draw.hex(32))),
        ("etag.xml", format!("<ETag>&quot;{}&quot;</ETag><Key>a</Key>", draw.hex(32))),
        ("k8s.yaml", format!("data:\n  motd: {}\n", encode(b"welcome to the cluster, nothing to see here, move along please"))),
        ("docker.json", "{\"auths\":{\"https://index.test/v1/\":{}}}\n".into()),
        ("docker.json", "{\"auth\": \"none\"}\n".into()),
        ("kube.yaml", format!("certificate-authority-data: {}\n", encode(draw.pem("CERTIFICATE").as_bytes()))),
        ("gcp.json", "{\"type\": \"service_account\", \"private_key_id\": \"\", \"private_key\": \"\"}\n".into()),
        ("hash.env", format!("PASSWORD_HASH=$2b$12${}\nTOKEN_SHA256={}\n", draw.alnum(53), draw.hex(64))),
        ("models.yaml", "together_model: meta-llama-3-70b-instruct-turbo-2024-preview\nmistral: mistral-large-instruct-2411-long-context\n".into()),
        ("near.txt", format!("{id} sha1 {}\n", draw.hex(40))),
        ("near.txt", format!("{temporary} etag {} x-amz-id-2 {}=\n", draw.hex(32), draw.base64(75))),
        ("near.json", format!("{{\"accessKeyId\":\"{temporary}\",\"signature\":\"{}\",\"digest\":\"{}\"}}", draw.hex(64), draw.base64(40))),
        ("azure.env", "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/".to_owned() + "KBHBeksoGMGw==\n"),
        ("jwt.txt", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.".to_owned() + "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c\n"),
        ("jwt.txt", draw.jwt("{\"sub\":\"u\",\"exp\":1500000000}")),
        ("css.css", format!("@font-face {{ src: url(data:font/woff2;base64,{}) }}\n", draw.base64(3000))),
        ("min.js", "function secretToken(e){return e.accessToken||e.secretKey||\"undefined\"}var passwordInput=document.querySelector(\"#password\");".into()),
        ("i18n.json", "{\"password\": \"Please enter your password\", \"token\": \"Security token (6 digits)\"}\n".into()),
        ("config.yaml", "password_file: /run/secrets/db_password\nsecret_name: prod/app/database-credentials-2024\ntoken_url: \"https://auth.corp.test/oauth2/token\"\n".into()),
    ];
    for _ in 0..60 {
        let lines: String = (0..20)
            .map(|_| {
                draw.fill("2026-11-01T10:00:00Z request=<h32> trace=<h16> commit=<h40> path=/a/<l8>/<l12> ")
                    + &format!("etag=\"{}\" digest=sha256:{}\n", draw.hex(32), draw.hex(64))
            })
            .collect();
        out.push(("service.log", lines));
        let lines: String = (0..20)
            .map(|_| {
                format!(
                    "{} x-amz-id-2={}= {}\n",
                    draw.key_id("ASIA", 999_988_887_777),
                    draw.base64(75),
                    draw.hex(40)
                )
            })
            .collect();
        out.push(("access.txt", lines));
    }
    out
}
