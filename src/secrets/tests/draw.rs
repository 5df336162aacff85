//! Values, drawn from a seed: nothing here holds a whole token.

/// splitmix64: small, even, the same everywhere.
pub(crate) struct Draw(pub(crate) u64);

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn of(&mut self, set: &str, count: usize) -> String {
        let set = set.as_bytes();
        (0..count)
            .map(|_| char::from(set[self.below(set.len())]))
            .collect()
    }

    pub(crate) fn alnum(&mut self, count: usize) -> String {
        self.of(&format!("{LETTERS}{DIGITS}"), count)
    }

    pub(crate) fn hex(&mut self, count: usize) -> String {
        self.of("0123456789abcdef", count)
    }

    pub(crate) fn base64(&mut self, count: usize) -> String {
        self.of(&format!("{LETTERS}{DIGITS}+/"), count)
    }

    /// `<x12>` in a template is twelve characters of class `x`.
    pub(crate) fn fill(&mut self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(open) = rest.find('<') {
            out.push_str(&rest[..open]);
            let close = open + rest[open..].find('>').unwrap();
            let class = &rest[open + 1..open + 2];
            let count: usize = rest[open + 2..close].parse().unwrap();
            let set = match class {
                "A" => format!("{LETTERS}{DIGITS}"),
                "Z" => LETTERS.to_owned(),
                "h" => "0123456789abcdef".to_owned(),
                "d" => DIGITS.to_owned(),
                "u" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".to_owned(),
                "l" => "abcdefghijklmnopqrstuvwxyz0123456789".to_owned(),
                "w" => format!("{LETTERS}{DIGITS}_-"),
                "b" => format!("{LETTERS}{DIGITS}+/"),
                "q" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".to_owned(),
                other => panic!("no class `{other}`"),
            };
            out.push_str(&self.of(&set, count));
            rest = &rest[close + 1..];
        }
        out + rest
    }

    pub(crate) fn key_id(&mut self, kind: &str, account: u64) -> String {
        let low = u128::from(self.next() & ((1 << 39) - 1));
        let bits = 1u128 << 79 | u128::from(account) << 39 | low;
        let body: String = (0..16)
            .map(|i| char::from(BASE32[(bits >> (75 - 5 * i) & 31) as usize]))
            .collect();
        format!("{kind}{body}")
    }

    /// A secret access key: any 40 characters of base64, as AWS draws them.
    pub(crate) fn secret(&mut self) -> String {
        self.base64(40)
    }

    pub(crate) fn session_token(&mut self) -> String {
        let body = 4 * (60 + self.below(120));
        format!("IQoJb3JpZ2luX2Vj{}", self.base64(body))
    }

    pub(crate) fn github(&mut self, kind: &str) -> String {
        let body = self.alnum(30);
        let mut sum = crc32fast::hash(body.as_bytes());
        let mut digits = [0; 6];
        for digit in digits.iter_mut().rev() {
            *digit = BASE62[(sum % 62) as usize];
            sum /= 62;
        }
        format!("{kind}{body}{}", String::from_utf8_lossy(&digits))
    }

    pub(crate) fn pem(&mut self, kind: &str) -> String {
        let lines = 6 + self.below(20);
        let mut out = format!("-----BEGIN {kind}-----\n");
        for _ in 0..lines {
            out += &self.base64(64);
            out.push('\n');
        }
        let rest = 4 * (1 + self.below(14));
        out += &self.base64(rest);
        out + &format!("\n-----END {kind}-----")
    }

    pub(crate) fn jwt(&mut self, claims: &str) -> String {
        let head = encode(b"{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
        let body = encode(claims.as_bytes());
        let url = |text: String| {
            text.trim_end_matches('=')
                .replace('+', "-")
                .replace('/', "_")
        };
        format!("{}.{}.{}", url(head), url(body), self.fill("<w43>"))
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let mut three = [0u8; 3];
        three[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for k in 0..4 {
            if k <= group.len() {
                out.push(char::from(BASE64[(bits >> (18 - 6 * k) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// Values of one string, by rule. Each is drawn anew.
pub(crate) fn tokens(draw: &mut Draw) -> Vec<(&'static str, String)> {
    const TEMPLATES: [(&str, &str); 50] = [
        ("aws-appsync-key", "da2-<l26>"),
        ("aws-mws-token", "amzn.mws.<h8>-<h4>-<h4>-<h4>-<h12>"),
        ("age-secret-key", "AGE-SECRET-KEY-1<q58>"),
        ("github-token-stateless", "ghs_<d5>_eyJ<w60>.<w300>.<w120>"),
        ("github-pat-fine-grained", "github_pat_<A22>_<A59>"),
        ("gitlab-pat-legacy", "glpat-<w20>"),
        ("gitlab-pat-legacy", "gldt-<w20>"),
        ("gitlab-pat-legacy", "glptt-<h40>"),
        ("gitlab-pat-legacy", "glagent-<w50>"),
        ("gitlab-pat-routable", "glpat-<w27>.<l2>.<l9>"),
        ("gitlab-pat-routable", "glpat-<w40>.<l9>"),
        ("gitlab-pat-routable", "glrt-t3_<w27>.<l2>.<l9>"),
        ("slack-token", "xoxb-<d12>-<d12>-<A24>"),
        ("slack-token", "xoxp-<d12>-<d12>-<d12>-<h32>"),
        ("slack-token", "xoxe-1-<A146>"),
        ("slack-app-token", "xapp-1-<u11>-<d13>-<h64>"),
        (
            "slack-webhook",
            "https://hooks.slack.com/services/T<u10>/B<u10>/<A24>",
        ),
        ("telegram-bot-token", "<d10>:AA<w33>"),
        ("openai-key", "sk-proj-<w74>T3BlbkFJ<w74>"),
        ("openai-key", "sk-<A20>T3BlbkFJ<A20>"),
        ("openai-key", "sk-svcacct-<w58>T3BlbkFJ<w58>"),
        ("anthropic-key", "sk-ant-api03-<w93>AA"),
        ("anthropic-key", "sk-ant-oat01-<w95>"),
        ("huggingface-token", "hf_<Z34>"),
        ("groq-key", "gsk_<A52>"),
        ("xai-key", "xai-<A80>"),
        ("openrouter-key", "sk-or-v1-<h64>"),
        ("perplexity-key", "pplx-<A48>"),
        ("replicate-token", "r8_<A37>"),
        ("nvidia-nim-key", "nvapi-<w64>"),
        ("langsmith-key", "lsv2_pt_<h32>_<h10>"),
        ("langfuse-secret-key", "sk-lf-<h8>-<h4>-<h4>-<h4>-<h12>"),
        ("pinecone-key", "pcsk_<A6>_<A63>"),
        ("tavily-key", "tvly-dev-<A32>"),
        ("elevenlabs-key", "sk_<h48>"),
        ("databricks-pat", "dapi<h32>"),
        ("gcp-api-key", "AIza<w35>"),
        ("azure-ad-client-secret", "<A3>8Q~<w33>"),
        ("npm-token", "npm_<A36>"),
        ("pypi-token", "pypi-AgEIcHlwaS5vcmc<w140>"),
        ("docker-pat", "dckr_pat_<w27>"),
        ("docker-pat", "dckr_oat_<w32>"),
        ("terraform-cloud-token", "<A14>.atlasv1.<A67>"),
        ("vault-token", "hvs.<A95>"),
        ("pulumi-token", "pul-<h40>"),
        ("stripe-key", "sk_live_<A99>"),
        ("stripe-key", "rk_live_<A24>"),
        ("sendgrid-key", "SG.<w22>.<w43>"),
        (
            "aws-bedrock-api-key-short",
            "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t<b300>",
        ),
        ("aws-bedrock-api-key-long", "ABSKQmVkcm9ja0FQSUtleS<b110>"),
    ];
    let mut out: Vec<(&str, String)> = TEMPLATES
        .iter()
        .map(|(rule, template)| (*rule, draw.fill(template)))
        .collect();
    for kind in ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"] {
        out.push(("github-token-classic", draw.github(kind)));
    }
    out.push(("jwt", draw.jwt("{\"sub\":\"svc-1\",\"role\":\"writer\"}")));
    out.push(("jwt", draw.jwt("{\"sub\":\"u\",\"exp\":4102444800}")));
    // A dash or dot at the very end cannot be told from punctuation.
    for (_, value) in &mut out {
        while value.ends_with(['-', '_', '.']) {
            value.pop();
            value.push('k');
        }
    }
    out
}
