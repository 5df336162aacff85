//! Short spellings for the rows of the table.

use super::{
    ArnFrom, Ask, At, Attribute, Listing, Name, Narrow, Page, RoleFrom, Service, Tags, Value,
};

/// `service` asked for the operation in `call`, without parameters or pages.
pub(super) const fn ask(service: &'static Service, call: &'static str) -> Ask {
    Ask {
        service,
        operation: after_colon(call),
        call,
        action: "",
        route: "",
        send: &[],
        page: Page { send: "", read: "" },
        absent: &[],
    }
}

const fn after_colon(call: &'static str) -> &'static str {
    let bytes = call.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if bytes[index] == b':' {
            return call.split_at(index + 1).1;
        }
        index += 1;
    }
    call
}

impl Ask {
    pub(super) const fn route(mut self, route: &'static str) -> Ask {
        self.route = route;
        self
    }

    pub(super) const fn send(mut self, send: &'static [(&'static str, Value)]) -> Ask {
        self.send = send;
        self
    }

    pub(super) const fn page(mut self, send: &'static str, read: &'static str) -> Ask {
        self.page = Page { send, read };
        self
    }

    pub(super) const fn absent(mut self, codes: &'static [&'static str]) -> Ask {
        self.absent = codes;
        self
    }
}

/// `kind`, listed by `list`, its items at `items`, named by the text at `name`.
pub(super) const fn listing(kind: &'static str, list: Ask, items: &'static str) -> Listing {
    Listing {
        kind,
        list,
        items,
        under: None,
        owner: "",
        narrow: None,
        details: &[],
        name: Name::Path("."),
        arn: ArnFrom::Template(""),
        role: RoleFrom::None,
        policy: None,
        tags: None,
        attributes: &[],
        global: false,
    }
}

impl Listing {
    pub(super) const fn under(mut self, parent: &'static str) -> Listing {
        self.under = Some(parent);
        self
    }

    pub(super) const fn owned_by(mut self, path: &'static str) -> Listing {
        self.owner = path;
        self
    }

    pub(super) const fn narrow(mut self, ask: Ask, attributes: &'static [&'static str]) -> Listing {
        self.narrow = Some(Narrow { ask, attributes });
        self
    }

    pub(super) const fn details(mut self, details: &'static [Ask]) -> Listing {
        self.details = details;
        self
    }

    pub(super) const fn name(mut self, path: &'static str) -> Listing {
        self.name = Name::Path(path);
        self
    }

    pub(super) const fn name_last_of(mut self, path: &'static str) -> Listing {
        self.name = Name::LastOf(path);
        self
    }

    pub(super) const fn name_after_slash(mut self, path: &'static str) -> Listing {
        self.name = Name::AfterSlash(path);
        self
    }

    pub(super) const fn named(mut self, name: &'static str) -> Listing {
        self.name = Name::Fixed(name);
        self
    }

    pub(super) const fn name_under_parent(mut self, path: &'static str) -> Listing {
        self.name = Name::UnderParent(path);
        self
    }

    pub(super) const fn arn(mut self, source: usize, path: &'static str) -> Listing {
        self.arn = ArnFrom::Path(At { source, path });
        self
    }

    pub(super) const fn arn_as(mut self, template: &'static str) -> Listing {
        self.arn = ArnFrom::Template(template);
        self
    }

    pub(super) const fn role(mut self, source: usize, path: &'static str) -> Listing {
        self.role = RoleFrom::Arn(At { source, path });
        self
    }

    pub(super) const fn role_within(mut self, source: usize, path: &'static str) -> Listing {
        self.role = RoleFrom::Within(At { source, path });
        self
    }

    pub(super) const fn profile(mut self, source: usize, path: &'static str) -> Listing {
        self.role = RoleFrom::Profile(At { source, path });
        self
    }

    pub(super) const fn policy(mut self, source: usize, path: &'static str) -> Listing {
        self.policy = Some(At { source, path });
        self
    }

    /// Tags as a list of keys and values.
    pub(super) const fn tags(
        mut self,
        source: usize,
        path: &'static str,
        (key, value): (&'static str, &'static str),
    ) -> Listing {
        let at = At { source, path };
        self.tags = Some(Tags { at, key, value });
        self
    }

    /// Tags as an object.
    pub(super) const fn tag_map(self, source: usize, path: &'static str) -> Listing {
        self.tags(source, path, ("", ""))
    }

    pub(super) const fn attributes(mut self, attributes: &'static [Attribute]) -> Listing {
        self.attributes = attributes;
        self
    }

    pub(super) const fn global(mut self) -> Listing {
        self.global = true;
        self
    }
}
