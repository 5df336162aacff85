//! Questions about the whole graph that no list of paths could answer: how many ways there are,
//! and which nodes every way passes.

use super::Status;
use super::net::{Id, Net};

/// For each node, how many ways lead to `target` once every circle is drawn together into one
/// node; saturating. Counted over the condensation in one pass, O(links).
pub(crate) fn ways(net: &Net, target: Id, ceiling: Status) -> Vec<u64> {
    let reaching = net.reaching(target, ceiling);
    let component = components(net, &reaching, ceiling);
    let count = component
        .iter()
        .filter(|c| **c != NONE)
        .max()
        .map_or(0, |last| last + 1);
    let mut members = vec![Vec::new(); count as usize];
    for (node, component) in component.iter().enumerate() {
        if *component != NONE {
            members[*component as usize].push(node as Id);
        }
    }
    // Components come sinks first, so everything a component leads to is counted before it.
    let mut ways = vec![0u64; count as usize];
    let home = component[target as usize];
    for (own, nodes) in members.iter().enumerate() {
        if own as u32 == home {
            ways[own] = 1;
            continue;
        }
        let mut sum = 0u64;
        for number in nodes.iter().flat_map(|node| net.out(*node)) {
            let head = component[net.link(number).head as usize];
            if head != NONE && head != own as u32 && net.price(number).status <= ceiling {
                sum = sum.saturating_add(ways[head as usize]);
            }
        }
        ways[own] = sum;
    }
    component
        .iter()
        .map(|component| ways.get(*component as usize).copied().unwrap_or(0))
        .collect()
}

pub(crate) const NONE: u32 = u32::MAX;

/// The circle of each node that reaches `target`: nodes of one number lead to one another for
/// certain, and past none that `ends`; [`NONE`] for other nodes. O(links).
pub(crate) fn circles(net: &Net, target: Id, ends: impl Fn(Id) -> bool) -> Vec<u32> {
    let mut marked = net.reaching(target, Status::Possible);
    for (node, marked) in marked.iter_mut().enumerate() {
        *marked &= node as Id != target && !ends(node as Id);
    }
    components(net, &marked, Status::Proven)
}

/// The strongly connected component of each marked node, numbered sinks first (Tarjan, without
/// recursion); [`NONE`] for nodes that are not marked.
fn components(net: &Net, marked: &[bool], ceiling: Status) -> Vec<u32> {
    let nodes = net.len();
    let mut component = vec![NONE; nodes];
    let mut index = vec![NONE; nodes];
    let mut low = vec![0u32; nodes];
    let mut open: Vec<Id> = Vec::new();
    let (mut next_index, mut next_component) = (0u32, 0u32);
    let heads = |node: Id| -> Vec<Id> {
        let links = net
            .out(node)
            .filter(|number| net.price(*number).status <= ceiling);
        links
            .map(|number| net.link(number).head)
            .filter(|head| marked[*head as usize])
            .collect()
    };
    for start in 0..nodes as Id {
        if !marked[start as usize] || index[start as usize] != NONE {
            continue;
        }
        let mut walk = vec![(start, heads(start), 0usize)];
        (index[start as usize], low[start as usize]) = (next_index, next_index);
        next_index += 1;
        open.push(start);
        while let Some((node, ahead, at)) = walk.last_mut() {
            let node = *node;
            if let Some(head) = ahead.get(*at).copied() {
                *at += 1;
                if index[head as usize] == NONE {
                    (index[head as usize], low[head as usize]) = (next_index, next_index);
                    next_index += 1;
                    open.push(head);
                    walk.push((head, heads(head), 0));
                } else if component[head as usize] == NONE {
                    low[node as usize] = low[node as usize].min(index[head as usize]);
                }
                continue;
            }
            walk.pop();
            if let Some((above, ..)) = walk.last() {
                low[*above as usize] = low[*above as usize].min(low[node as usize]);
            }
            if low[node as usize] == index[node as usize] {
                while let Some(member) = open.pop() {
                    component[member as usize] = next_component;
                    if member == node {
                        break;
                    }
                }
                next_component += 1;
            }
        }
    }
    component
}

/// For each node that reaches `target`, the next node that every way from it passes; the target
/// is its own. `None` for nodes that do not reach it.
///
/// The dominators of the reversed graph, after Cooper, Harvey and Kennedy, "A Simple, Fast
/// Dominance Algorithm".
pub(crate) fn passages(net: &Net, target: Id, ceiling: Status) -> Vec<Option<Id>> {
    let order = postorder(net, target, ceiling);
    let mut rank = vec![NONE; net.len()];
    for (at, node) in order.iter().enumerate() {
        rank[*node as usize] = at as u32;
    }
    let mut next: Vec<Option<Id>> = vec![None; net.len()];
    next[target as usize] = Some(target);
    let mut changed = true;
    while changed {
        changed = false;
        for node in order.iter().rev().copied().filter(|node| *node != target) {
            let mut meet: Option<Id> = None;
            for number in net.out(node) {
                let head = net.link(number).head;
                if net.price(number).status > ceiling || next[head as usize].is_none() {
                    continue;
                }
                meet = Some(meet.map_or(head, |meet| joint(meet, head, &next, &rank)));
            }
            if next[node as usize] != meet {
                next[node as usize] = meet;
                changed = true;
            }
        }
    }
    next
}

/// The first node that both ways pass.
fn joint(mut a: Id, mut b: Id, next: &[Option<Id>], rank: &[u32]) -> Id {
    while a != b {
        while rank[a as usize] < rank[b as usize] {
            a = next[a as usize].unwrap_or(b);
        }
        while rank[b as usize] < rank[a as usize] {
            b = next[b as usize].unwrap_or(a);
        }
    }
    a
}

/// Nodes that reach the target, each after everything behind it: the target last.
fn postorder(net: &Net, target: Id, ceiling: Status) -> Vec<Id> {
    let mut seen = vec![false; net.len()];
    let mut order = Vec::new();
    let mut walk = vec![(target, net.into(target))];
    seen[target as usize] = true;
    while let Some((node, links)) = walk.last_mut() {
        let node = *node;
        match links.next() {
            Some(number) => {
                let tail = net.link(number).tail;
                if net.price(number).status <= ceiling && !seen[tail as usize] {
                    seen[tail as usize] = true;
                    walk.push((tail, net.into(tail)));
                }
            }
            None => {
                order.push(node);
                walk.pop();
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::super::net::NetBuilder;
    use super::*;

    /// Numbers as nodes, pairs as links.
    fn net(nodes: u32, links: &[(Id, Id)]) -> Net {
        let mut builder = NetBuilder::default();
        for _ in 0..nodes {
            builder.node();
        }
        for (step, (tail, head)) in links.iter().enumerate() {
            builder.step(*tail, *head, 0, step as u32);
        }
        builder.finish()
    }

    #[test]
    fn ways_are_counted_over_circles_drawn_together() {
        // 0 → {1 ⇄ 2} → 3 → 5, 0 → 4 → 5: two links leave the circle.
        let links = [
            (0, 1),
            (1, 2),
            (2, 1),
            (1, 3),
            (2, 3),
            (3, 5),
            (0, 4),
            (4, 5),
            (5, 6),
        ];
        let counted = ways(&net(7, &links), 5, Status::Proven);
        assert_eq!(counted[0], 3);
        assert_eq!(counted[3], 1);
        assert_eq!(counted[6], 0);
    }

    #[test]
    fn counting_saturates_rather_than_wraps() {
        let links: Vec<_> = (0..100)
            .flat_map(|n| {
                [
                    (3 * n, 3 * n + 1),
                    (3 * n, 3 * n + 2),
                    (3 * n + 1, 3 * n + 3),
                    (3 * n + 2, 3 * n + 3),
                ]
            })
            .collect();
        assert_eq!(ways(&net(301, &links), 300, Status::Proven)[0], u64::MAX);
    }

    #[test]
    fn passages_are_what_every_way_shares() {
        let links = [
            (0, 1),
            (0, 2),
            (1, 3),
            (2, 3),
            (3, 4),
            (6, 2),
            (4, 5),
            (4, 3),
        ];
        let next = passages(&net(7, &links), 5, Status::Proven);
        assert_eq!(next[0], Some(3));
        assert_eq!(next[6], Some(2));
        assert_eq!(next[3], Some(4));
        assert_eq!(next[5], Some(5));
    }
}
