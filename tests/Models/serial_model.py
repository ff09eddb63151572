"""Executable model of SERIAL.md: strictly serializable transactions over the eventually consistent store.

    python3 serial_model.py --seeds 500 --steps 1500      random histories, every invariant checked
    python3 serial_model.py --mutants --seeds 400         each rule broken in turn; each break must be noticed

One thread, virtual time and a seeded scheduler. Messages are delayed, lost, duplicated, reordered and cut off; nodes crash and restart
with their flushed state; wall clocks are skewed and jump. The eventually consistent store below is reduced to the properties that the rules
rely on: stamps are totally ordered, and each node's own transactions are in order; a replica knows a prefix of each origin's transactions;
documents merge by the greatest stamp; replicas pull from each other at random. A crash loses the unflushed tail of the store.
"""
import argparse, copy, random, sys

ELECTION = (500, 1_000)
HEARTBEAT = 100
LEASE = 2_000          # how far ahead of its clock a sequencer asks for stamps [S5]
MUTANTS = {
    'no_limit': 'a new sequencer does not start above the stamps of the old one [S5]',
    'unflushed_append': 'entries are acknowledged before they are flushed [S3]',
    'unflushed_vote': 'a vote is given before it is flushed [S2]',
    'vote_for_stale': 'a vote is given to a candidate that has fewer entries [S2]',
    'no_reissue': 'a new sequencer does not apply inherited entries again [S4]',
    'commit_old_epoch': 'entries of an earlier epoch are counted as committed by acknowledgements [S3]',
    'base_without_known': 'an entry is dropped before its effects are known [S6]',
    'base_unflushed': 'entries are dropped before their effects are flushed [S6]',
    'read_without_round': 'a barrier is answered without asking a majority [S7]',
    'read_before_noop': 'a barrier is answered before the sequencer has applied an entry of its own epoch [S7]',
    'token_of_one': 'the token names the last sequencer\'s stamp alone [S7]',
    'check_unapplied': 'conditions are checked without the waiting entries [S4]',
    'conflict_early': 'a refusal is reported before it is committed [S8]',
    'refusal_not_kept': 'a refusal is reported once the entries that it depends on are committed, but is not an entry itself [S8]',
    'retry_twice': 'a repeated transaction is not recognized [S8]',
    'two_at_once': 'a second change of voters begins before the first one is committed [S9]',
    'voter_not_caught_up': 'a voter is added before it has caught up with the sequencer [S9]',
    'apply_before_commit': 'entries are applied before a majority has them [S4]',
    'election_blind': 'a candidate wins with votes of fewer than a majority [S2]',
}


class Violation(Exception):
    pass


class Txn:
    """An ordinary transaction of the store below: its origin's `seq`-th, under a stamp, with whole documents."""
    __slots__ = ('origin', 'seq', 'stamp', 'writes')

    def __init__(self, origin, seq, stamp, writes):
        self.origin, self.seq, self.stamp, self.writes = origin, seq, stamp, writes


class Store:
    """The eventually consistent replica of one node, reduced to the properties that the rules rely on."""

    def __init__(self):
        self.known = {}        # origin -> number of its transactions in this store
        self.docs = {}         # key -> (stamp, value)
        self.log = {}          # (origin, seq) -> Txn

    def apply(self, t):
        if self.known.get(t.origin, 0) != t.seq - 1:
            return False
        self.known[t.origin] = t.seq
        self.log[t.origin, t.seq] = t
        for k, v in t.writes.items():
            if k not in self.docs or self.docs[k][0] < t.stamp:
                self.docs[k] = (t.stamp, v)
        return True

    def copy(self):
        s = Store()
        s.known, s.docs, s.log = dict(self.known), dict(self.docs), dict(self.log)
        return s

    def covers(self, token):
        return all(self.known.get(o, 0) >= n for o, n in token.items())

    def pull(self, other):
        for o, n in other.known.items():
            for seq in range(self.known.get(o, 0) + 1, n + 1):
                self.apply(other.log[o, seq])


class Entry:
    """One entry of the sequence. kind: 'noop', 'txn', 'refusal' or 'voters'."""
    __slots__ = ('epoch', 'kind', 'id', 'checks', 'writes', 'voters')

    def __init__(self, epoch, kind, id=None, checks=None, writes=None, voters=None):
        self.epoch, self.kind, self.id = epoch, kind, id
        self.checks, self.writes, self.voters = checks or {}, writes or {}, voters


class Durable:
    """The flushed state of a node, which a crash restores."""

    def __init__(self, voters):
        self.epoch = 0
        self.vote = None
        self.limit = 0
        self.base = 0            # entries up to here have their effects in the store below
        self.base_epoch = 0
        self.entries = []        # base + 1 ...
        self.base_voters = voters
        self.token = {}          # the stamps that a store must know to have the effects of all entries up to base
        self.store = Store()

    def copy(self):
        d = copy.copy(self)
        d.entries, d.token, d.store = list(self.entries), dict(self.token), self.store.copy()
        return d


class Node:
    def __init__(self, world, id, voters):
        self.w, self.id = world, id
        self.d = Durable(voters)
        self.flushed = self.d.copy()
        self.up = True
        self.skew = world.r.randint(-3_000, 3_000)
        self.clock = 0
        self.boot()

    # --- time and the store below
    def boot(self):
        self.role = 'follower'
        self.leader = None
        self.votes = set()
        self.commit = self.d.base
        self.next, self.match, self.acked_round = {}, {}, {}
        self.applied = self.d.base
        self.round = 0
        self.barriers = []       # (client, round that confirms it, token at the time)
        self.conflicts = []      # (client, entry that must be committed first)
        self.limits = {}
        self.waiting = {}        # index -> client request
        self.limit_floor = 0
        self.ready = False       # has applied an entry of its own epoch
        self.contact = {}
        self.granted = 0
        self.heard_at = -9_999
        self.deadline = self.w.now + self.w.r.randint(*ELECTION)
        self.clock = max([self.clock] + [t.stamp // 16 for t in self.d.store.log.values()])

    def wall(self):
        return max(0, self.w.now * 10 + self.skew * 10)

    def tick(self):
        self.clock = max(self.clock, self.wall()) + 1
        return self.clock * 16 + self.id      # unique, ordered by time then node

    def flush(self, store=False):
        """Flushes the state of the sequence, and the store below only if asked to."""
        kept = self.flushed.store
        self.flushed = self.d.copy()
        if not store:
            self.flushed.store = kept

    # --- the sequence
    def last(self):
        return self.d.base + len(self.d.entries)

    def entry(self, i):
        return self.d.entries[i - self.d.base - 1]

    def epoch_at(self, i):
        return self.d.base_epoch if i == self.d.base else self.entry(i).epoch

    def voters(self):
        for e in reversed(self.d.entries):
            if e.kind == 'voters':
                return e.voters
        return self.d.base_voters

    def majority(self, acks):
        v = self.voters()
        return len(acks & v) * 2 > len(v)

    # --- elections [S2]
    def stand(self):
        if self.id not in self.voters():
            self.deadline = self.w.now + self.w.r.randint(*ELECTION)
            return
        # A probe comes first: a voter that is cut off, or removed, must not raise the epoch of all others.
        self.role, self.votes, self.leader = 'asking', {self.id}, None
        self.ask_votes(self.d.epoch + 1, probe=True)

    def ask_votes(self, epoch, probe):
        self.deadline = self.w.now + self.w.r.randint(*ELECTION)
        for p in self.voters() - {self.id}:
            self.w.send(self.id, p, 'vote?', epoch=epoch, probe=probe, last=self.last(), last_epoch=self.epoch_at(self.last()))
        self.count_votes()

    def count_votes(self):
        enough = self.majority(self.votes) or ('election_blind' in self.w.broken and len(self.votes) * 2 >= len(self.voters()))
        if self.role == 'asking' and enough:
            self.d.epoch += 1
            self.d.vote = self.id
            self.flush()
            self.role, self.votes = 'candidate', {self.id}
            self.limit_floor = self.d.limit
            self.ask_votes(self.d.epoch, probe=False)
        elif self.role == 'candidate' and enough:
            self.role, self.leader, self.ready = 'leader', self.id, False
            if 'no_limit' not in self.w.broken:
                self.clock = max(self.clock, self.limit_floor // 16 + 1)
            self.next = {}
            self.match, self.acked_round, self.contact = {}, {}, {}
            self.granted, self.limits = 0, {}
            self.waiting, self.barriers, self.conflicts = {}, [], []
            self.applied = self.d.base
            self.commit = self.d.base
            self.append(Entry(self.d.epoch, 'noop'))
            self.beat()

    def on_vote_q(self, p, epoch, probe, last, last_epoch):
        # A sequencer that still sends heartbeats stays in office.
        if self.role == 'leader' or self.w.now - self.heard_at < ELECTION[0]:
            return
        if epoch > self.d.epoch and not probe:
            self.step_down(epoch)
        fresh = (last_epoch, last) >= (self.epoch_at(self.last()), self.last()) or 'vote_for_stale' in self.w.broken
        if probe:
            granted = fresh and epoch > self.d.epoch
            self.w.send(self.id, p, 'vote!', epoch=epoch if granted else self.d.epoch, probe=True, granted=granted, limit=0)
            return
        granted = epoch == self.d.epoch and self.d.vote in (None, p) and fresh
        if granted:
            self.d.vote = p
            self.deadline = self.w.now + self.w.r.randint(*ELECTION)
        if 'unflushed_vote' not in self.w.broken:
            self.flush()
        self.w.send(self.id, p, 'vote!', epoch=self.d.epoch, probe=False, granted=granted, limit=self.d.limit)

    def on_vote_r(self, p, epoch, probe, granted, limit):
        if probe and granted:
            if self.role == 'asking' and epoch == self.d.epoch + 1:
                self.votes.add(p)
                self.count_votes()
        elif epoch > self.d.epoch:
            self.step_down(epoch); self.flush()
        elif self.role == 'candidate' and epoch == self.d.epoch and granted:
            self.votes.add(p)
            self.limit_floor = max(self.limit_floor, limit)
            self.count_votes()

    def step_down(self, epoch):
        if epoch > self.d.epoch:
            self.d.epoch, self.d.vote = epoch, None
        if self.role == 'leader':
            for req in self.waiting.values():
                self.w.reply(req, 'unknown')
            self.waiting, self.barriers, self.conflicts = {}, [], []
        self.role = 'follower'
        self.ready = False

    # --- appending [S3]
    def append(self, e):
        self.d.entries.append(e)
        self.flush()
        self.match[self.id] = self.last()
        return self.last()

    def beat(self):
        self.beat_at = self.w.now + HEARTBEAT
        self.round += 1
        self.asked_limit = (max(self.clock, self.wall()) + LEASE) * 16
        self.d.limit = max(self.d.limit, self.asked_limit)
        self.limits[self.id] = self.d.limit
        self.flush()
        self.acked_round[self.id] = self.round
        for p in self.peers():
            self.feed(p)
        self.advance()

    def peers(self):
        return set(self.w.nodes) - {self.id}     # all members follow the sequence; voters alone count

    def feed(self, p):
        n = self.next.get(p, self.last() + 1)
        common = dict(epoch=self.d.epoch, round=self.round, commit=self.commit, limit=self.asked_limit,
                      applied=self.applied, token=dict(self.d.token))
        if n <= self.d.base:
            self.w.send(self.id, p, 'base', base=self.d.base, base_epoch=self.d.base_epoch, voters=set(self.d.base_voters), **common)
        else:
            self.w.send(self.id, p, 'append', prev=n - 1, prev_epoch=self.epoch_at(n - 1),
                        entries=self.d.entries[n - self.d.base - 1:][:8], **common)

    def heard(self, p, epoch, limit):
        """Handles a message of the sequencer of an epoch. Returns false if the epoch is over."""
        if epoch < self.d.epoch:
            self.w.send(self.id, p, 'appended', epoch=self.d.epoch, ok=False, match=0, round=0, limit=0)
            return False
        if epoch > self.d.epoch or self.role != 'follower':
            self.step_down(epoch)
        self.leader = p
        self.heard_at = self.w.now
        self.deadline = self.w.now + self.w.r.randint(*ELECTION)
        self.d.limit = max(self.d.limit, limit)
        return True

    def on_append(self, p, epoch, round, commit, limit, applied, token, prev, prev_epoch, entries):
        if not self.heard(p, epoch, limit):
            return
        ok = prev < self.d.base or (prev <= self.last() and self.epoch_at(prev) == prev_epoch)
        match = 0
        if ok:
            for k, e in enumerate(entries):
                i = prev + 1 + k
                if i <= self.d.base:
                    continue
                if i <= self.last() and self.entry(i).epoch != e.epoch:
                    del self.d.entries[i - self.d.base - 1:]
                if i > self.last():
                    self.d.entries.append(e)
            match = max(prev + len(entries), self.d.base)
            self.commit = max(self.commit, min(commit, match))
            self.rebase(min(applied, match), token)
        if 'unflushed_append' not in self.w.broken:
            self.flush()
        self.w.send(self.id, p, 'appended', epoch=epoch, ok=ok, match=match if ok else min(self.last(), prev - 1), round=round, limit=self.d.limit)

    def on_base(self, p, epoch, round, commit, limit, applied, token, base, base_epoch, voters):
        """The sequencer no longer has the entries that this node lacks: the store below brings their effects [S6]."""
        if not self.heard(p, epoch, limit):
            return
        ok = False
        if base <= self.d.base:
            ok = True
        elif self.d.store.covers(token) or 'base_without_known' in self.w.broken:
            if base <= self.last() and self.epoch_at(base) == base_epoch:
                self.d.entries = self.d.entries[base - self.d.base:]
            else:
                self.d.entries = []
            self.d.base, self.d.base_epoch, self.d.base_voters, self.d.token = base, base_epoch, voters, token
            self.commit = max(self.commit, base)
            ok = True
        self.flush(store='base_unflushed' not in self.w.broken)
        if ok:
            self.w.send(self.id, p, 'appended', epoch=epoch, ok=True, match=self.d.base, round=round, limit=self.d.limit)

    def rebase(self, applied, token):
        """Drops entries whose effects the store has [S6]."""
        if applied > self.d.base and (self.d.store.covers(token) or 'base_without_known' in self.w.broken):
            dropped = self.d.entries[:applied - self.d.base]
            for e in dropped:
                if e.kind == 'voters':
                    self.d.base_voters = e.voters
            self.d.base_epoch = dropped[-1].epoch
            self.d.entries = self.d.entries[applied - self.d.base:]
            self.d.base = applied
            self.d.token = dict(token)
            self.flush(store='base_unflushed' not in self.w.broken)

    def on_appended(self, p, epoch, ok, match, round, limit):
        if epoch > self.d.epoch:
            self.step_down(epoch); self.flush()
            return
        if self.role != 'leader' or epoch != self.d.epoch:
            return
        self.contact[p] = self.w.now
        if ok:
            self.match[p] = max(self.match.get(p, 0), match)
            self.next[p] = self.match[p] + 1
            self.acked_round[p] = max(self.acked_round.get(p, 0), round)
            self.limits[p] = max(self.limits.get(p, 0), limit)
            self.advance()
            if self.next[p] <= self.last():
                self.feed(p)
        else:
            self.next[p] = max(1, min(match + 1, self.next.get(p, self.last() + 1) - 1))
            self.feed(p)

    def quorum_value(self, values):
        """Returns the greatest value that a majority of the voters has reached."""
        v = sorted((values.get(p, 0) for p in self.voters()), reverse=True)
        return v[len(v) // 2]

    def advance(self):
        self.granted = self.quorum_value(self.limits)
        i = self.quorum_value(self.match)
        if i > self.commit and i > self.d.base and (self.epoch_at(i) == self.d.epoch or 'commit_old_epoch' in self.w.broken):
            self.commit = i
        if 'apply_before_commit' in self.w.broken:
            self.commit = self.last()
        if self.commit > self.applied:
            self.apply()
        for c in [c for c in self.conflicts if c[1] <= self.applied]:
            self.conflicts.remove(c)
            self.w.reply(c[0], 'conflict')
        confirmed = self.quorum_value(self.acked_round)
        for b in [b for b in self.barriers if b[1] <= confirmed or 'read_without_round' in self.w.broken]:
            self.barriers.remove(b)
            self.w.reply(b[0], 'barrier', token=b[2], leader=self.id)

    # --- applying [S4]
    def apply(self):
        """Commits the effects of committed entries to the store below, as one ordinary transaction of this node."""
        first, last = self.applied + 1, self.commit
        stamp = self.tick()
        if stamp > self.granted and 'no_limit' not in self.w.broken:
            return                      # not before a majority has granted a higher limit
        inherited = not self.ready
        if self.ready is False and self.epoch_at(last) != self.d.epoch:
            return                      # inherited entries wait for the first of the own epoch
        writes = {}
        for i in range(first, last + 1):
            e = self.entry(i)
            if e.epoch != self.d.epoch and 'no_reissue' in self.w.broken:
                continue
            if e.kind in ('txn', 'refusal'):
                writes.update(e.writes)
                writes['done', e.id[0]] = (e.id[1], e.kind)
        if writes:
            store = self.d.store
            store.apply(Txn(self.id, store.known.get(self.id, 0) + 1, stamp, writes))
            self.d.token = dict(self.d.token)
            self.d.token[self.id] = store.known[self.id]
        self.applied = last
        self.ready = self.ready or self.epoch_at(last) == self.d.epoch
        self.flush(store=True)
        for i in range(first, last + 1):
            e = self.entry(i)
            if e.kind in ('txn', 'refusal'):
                self.w.committed(i, e)
            if i in self.waiting:
                self.w.reply(self.waiting.pop(i), 'conflict' if e.kind == 'refusal' else 'ok', token=self.full_token(), leader=self.id)
        self.rebase(self.applied, self.d.token)

    def full_token(self):
        if 'token_of_one' in self.w.broken:
            return {self.id: self.d.token.get(self.id, 0)}
        return dict(self.d.token)

    # --- requests
    def value(self, key):
        """Returns the value of a key in the sequence. Waiting entries count."""
        if 'check_unapplied' not in self.w.broken:
            for i in range(self.last(), self.applied, -1):
                e = self.entry(i)
                if e.kind == 'txn' and key in e.writes:
                    return e.writes[key]
        return self.d.store.docs.get(key, (0, None))[1]

    def on_commit_q(self, p, req, id, checks, writes):
        if self.role != 'leader' or not self.ready:
            self.w.reply(req, 'not-sequencer', leader=self.leader if self.role != 'leader' else None)
            return
        done, outcome = self.value(('done', id[0])) or (0, None)
        for i in range(self.last(), self.applied, -1):
            e = self.entry(i)
            if e.kind in ('txn', 'refusal') and e.id == id and 'retry_twice' not in self.w.broken:
                self.waiting[i] = req
                return
        if id[1] <= done and 'retry_twice' not in self.w.broken:
            self.w.reply(req, 'conflict' if outcome == 'refusal' else 'ok', token=self.full_token(), leader=self.id)
            return
        kind = 'txn' if all(self.value(k) == v for k, v in checks.items()) else 'refusal'
        if kind == 'refusal' and 'conflict_early' in self.w.broken:
            self.w.reply(req, 'conflict')
            return
        if kind == 'refusal' and 'refusal_not_kept' in self.w.broken:
            if self.last() == self.applied:
                self.w.reply(req, 'conflict')
            else:
                self.conflicts.append((req, self.last()))
            return
        # A refusal is an entry, too. What it depends on may still be lost. And a document that was deleted is again what was read before it
        # existed, so a late copy of the refused request would be accepted.
        i = self.append(Entry(self.d.epoch, kind, id, checks, writes if kind == 'txn' else {}))
        self.waiting[i] = req
        for q in self.peers():
            if self.next.get(q, i) == i:
                self.feed(q)
        self.advance()

    def on_barrier_q(self, p, req):
        if self.role != 'leader' or (not self.ready and 'read_before_noop' not in self.w.broken):
            self.w.reply(req, 'not-sequencer', leader=self.leader if self.role != 'leader' else None)
            return
        self.barriers.append((req, self.round + 1, self.full_token()))
        self.advance()

    # --- voters [S9]
    def change_voters(self):
        if self.role != 'leader' or not self.ready:
            return
        if any(e.kind == 'voters' for e in self.d.entries[self.commit - self.d.base:]) and 'two_at_once' not in self.w.broken:
            return
        now = self.voters()
        candidates = [n for n in self.w.nodes if n not in now]
        if candidates and (len(now) < 3 or self.w.r.random() < .5):
            p = self.w.r.choice(candidates)
            caught_up = self.match.get(p, 0) >= self.commit and self.w.now - self.contact.get(p, -9999) < 200
            if not caught_up and 'voter_not_caught_up' not in self.w.broken:
                return
            after = now | {p}
        elif len(now) > 2:
            after = now - {self.w.r.choice(sorted(now))}
        else:
            return
        self.append(Entry(self.d.epoch, 'voters', voters=set(after)))
        self.beat()

    def step(self):
        if self.role == 'leader':
            if self.w.now >= self.beat_at:
                v = self.voters()
                alive = {p for p in v if p == self.id or self.w.now - self.contact.get(p, self.w.now) < self.w.patience * ELECTION[1]}
                for p in v:
                    self.contact.setdefault(p, self.w.now)
                if len(alive) * 2 <= len(v):
                    self.step_down(self.d.epoch)
                    self.deadline = self.w.now + self.w.r.randint(*ELECTION)
                else:
                    self.beat()
            if self.role == 'leader' and self.id not in self.voters() and self.commit >= self.last():
                self.step_down(self.d.epoch)
        elif self.w.now >= self.deadline:
            self.stand()


class Client:
    """A node's application: one transaction at a time, retried until its outcome is known or the client gives up."""

    def __init__(self, world, id, node):
        self.w, self.id, self.node = world, id, node
        self.seq = 0
        self.op = None
        self.try_at = 0
        self.guess = None
        self.last = None         # the node that answered last

    def step(self):
        w = self.w
        if self.op is None:
            if w.r.random() < .3 and not w.quiet:
                self.seq += 1
                keys = w.r.sample(range(w.keys), min(w.keys, w.r.choice([1, 1, 2])))
                self.op = dict(kind=w.r.choice(['rmw', 'rmw', 'read']), keys=keys, start=w.now, phase='barrier', seq=self.seq, sent=False)
                self.try_at = w.now
            return
        if w.now - self.op['start'] > 1_000 and w.r.random() < .02 and not w.quiet:
            self.op = None           # the client gives up: the sent transaction may still be applied, once
            return
        if w.now >= self.try_at:
            self.send()

    def send(self):
        w, op = self.w, self.op
        self.try_at = w.now + w.r.randint(80, 400)
        target = self.guess if self.guess is not None else self.last if self.last is not None and w.r.random() < .7 else w.r.choice(list(w.nodes))
        self.guess = None
        op['attempt'] = op.get('attempt', 0) + 1
        req = (self.id, op['seq'], op['phase'], op['attempt'])
        if op['phase'] == 'barrier':
            w.send(self.node, target, 'barrier?', req=req)
        elif op['phase'] == 'wait':
            self.read()
        elif op['phase'] == 'commit':
            op['sent'] = True
            w.send(self.node, target, 'commit?', req=req, id=(self.id, op['seq']), checks=dict(op['checks']), writes=dict(op['writes']))

    def read(self):
        """Reads local documents, once the local store covers the token [S7]."""
        w, op = self.w, self.op
        node = w.nodes[self.node]
        if not node.up or not node.d.store.covers(op['token']):
            return
        values = {k: node.d.store.docs.get(k, (0, None))[1] for k in op['keys']}
        if op['kind'] == 'read':
            w.history.append(dict(kind='read', start=op['start'], end=w.now, values=values))
            self.op = None
            return
        op['checks'] = values
        # Some documents are deleted, and are then again what they were before they existed.
        op['writes'] = {k: None if v is not None and w.r.random() < .4 else (self.id, op['seq']) for k, v in values.items()}
        op['phase'] = 'commit'
        op['begun'] = w.now
        w.proposed[(self.id, op['seq'])] = dict(start=w.now, end=None, checks=values, writes=op['writes'])
        self.send()

    def on_reply(self, req, what, token=None, leader=None):
        op = self.op
        if op is None or req[1] != op['seq'] or req[2] != op['phase']:
            return
        self.last = None if what in ('not-sequencer', 'unknown') else leader
        if what == 'not-sequencer':
            self.guess = leader
            self.try_at = min(self.try_at, self.w.now + 20)
        elif what == 'barrier' and op['phase'] == 'barrier':
            op['phase'], op['token'] = 'wait', token
            self.read()
        elif what == 'ok' and op['phase'] == 'commit':
            self.w.proposed[(self.id, op['seq'])]['end'] = self.w.now
            self.w.acked += 1
            self.op = None
        elif what == 'conflict' and op['phase'] == 'commit':
            # The sequencer would have recognized an earlier attempt: the transaction has no effect, and never will.
            self.w.refused.add((self.id, op['seq']))
            self.w.conflicts += 1
            self.op = None
        # 'unknown': the client retries with the same id


class World:
    def __init__(self, seed, steps, broken=()):
        self.r = random.Random(seed)
        self.broken = set(broken)
        self.now = 0
        self.queue = []
        self.steps = steps
        self.quiet = False
        self.keys = self.r.choice([1, 2, 4])
        count = self.r.choice([3, 3, 4, 5])
        voters = set(range(self.r.choice([1, 3, min(5, count), 2])))
        self.nodes = {}
        for i in range(count):
            self.nodes[i] = Node(self, i, set(voters))
        self.clients = {i: Client(self, i, i) for i in range(count)}
        self.cuts = set()
        self.loss = self.r.choice([0, .02, .1])
        self.history, self.proposed, self.order = [], {}, {}
        self.refused = set()
        self.acked = self.conflicts = self.elections = 0
        self.delay = self.r.choice([(1, 20), (1, 20), (1, 200)])
        self.change = self.r.choice([0, 0, .02, .1])
        self.faults = self.r.choice([.003, .01, .03, .1])
        self.away = self.r.choice([50, 600, 2_000])
        self.patience = self.r.choice([2, 2, 10])       # safety must not depend on the time until a sequencer that is cut off steps down

    def send(self, a, b, what, **body):
        if b not in self.nodes or (a, b) in self.cuts or self.r.random() < self.loss:
            return
        for _ in range(2 if self.r.random() < .03 else 1):
            self.queue.append((self.now + self.r.randint(*self.delay), self.r.random(), a, b, what, body))

    def reply(self, req, what, **body):
        c = self.clients[req[0]]
        if self.r.random() >= self.loss:
            self.queue.append((self.now + self.r.randint(*self.delay), self.r.random(), None, c.node, 'reply', dict(req=req, what=what, **body)))

    def committed(self, i, e):
        """Checks, with full knowledge of the history, that each index has one entry forever."""
        old = self.order.setdefault(i, (e.kind, e.id))
        if old != (e.kind, e.id):
            raise Violation(f'index {i} is {old} and {(e.kind, e.id)}')

    HANDLERS = {'vote?': 'on_vote_q', 'vote!': 'on_vote_r', 'append': 'on_append', 'base': 'on_base', 'appended': 'on_appended'}

    def deliver(self):
        due = sorted(m for m in self.queue if m[0] <= self.now)
        if not due:
            return
        self.queue = [m for m in self.queue if m[0] > self.now]
        for _, _, a, b, what, body in due:
            node = self.nodes[b]
            if not node.up:
                continue
            if what == 'reply':
                self.clients[b].on_reply(body.pop('req'), body.pop('what'), **body)
            elif what == 'commit?':
                node.on_commit_q(a, **body)
            elif what == 'barrier?':
                node.on_barrier_q(a, **body)
            else:
                getattr(node, self.HANDLERS[what])(a, **body)

    def fault(self):
        r, x = self.r, self.r.random()
        n = r.choice(list(self.nodes))
        node = self.nodes[n]
        if x < .2:
            self.crash(n)
        elif x < .6:
            leaders = [i for i in self.nodes if self.nodes[i].role == 'leader']
            side = set(leaders) if r.random() < .5 else {i for i in self.nodes if r.random() < .5}
            self.cuts = {(a, b) for a in self.nodes for b in self.nodes if (a in side) != (b in side)}
        elif x < .7:
            self.cuts |= {(a, n) for a in self.nodes if a != n} if r.random() < .5 else {(n, a) for a in self.nodes if a != n}
        elif x < .9:
            self.cuts = set()
        else:
            node.skew = r.randint(-3_000, 3_000)

    def crash(self, n):
        """Restores the flushed state. The store below may also lose its unflushed tail."""
        node = self.nodes[n]
        node.d = node.flushed.copy()
        node.up = False
        node.back_at = self.now + self.r.randint(5, self.away)
        for c in self.clients.values():
            if c.node == n and c.op is not None:
                c.op = None          # the application is gone with its node; its last transaction may still be applied
                c.seq += 1000

    def run(self):
        for step in range(self.steps):
            self.now += self.r.randint(1, 15)
            if self.r.random() < self.faults:
                self.fault()
            self.turn()
            if self.change and self.r.random() < self.change:
                for n in self.nodes.values():
                    if n.up:
                        n.change_voters()
        self.heal()
        self.check()
        return self

    def turn(self):
        for n in self.nodes.values():
            if not n.up and self.now >= n.back_at:
                n.up = True
                n.boot()
        self.deliver()
        for n in self.nodes.values():
            if n.up:
                n.step()
        for c in self.clients.values():
            if self.nodes[c.node].up:
                c.step()
        if self.r.random() < .02:
            n = self.r.choice(list(self.nodes.values()))
            n.flush(store=True)
        if self.r.random() < .25:
            a, b = self.r.sample(list(self.nodes), 2)
            if self.nodes[a].up and self.nodes[b].up and (a, b) not in self.cuts and (b, a) not in self.cuts:
                self.nodes[a].d.store.pull(self.nodes[b].d.store)
                self.nodes[a].clock = max([self.nodes[a].clock] + [t.stamp // 16 for t in self.nodes[b].d.store.log.values()])

    def heal(self):
        self.cuts, self.loss, self.change = set(), 0, 0
        self.quiet = True
        for _ in range(4_000):
            self.now += 5
            self.turn()
            for a in self.nodes:
                for b in self.nodes:
                    if self.nodes[a].up and self.nodes[b].up:
                        self.nodes[a].d.store.pull(self.nodes[b].d.store)
            if all(c.op is None for c in self.clients.values()) and all(n.up for n in self.nodes.values()) and not self.queue \
                    and any(n.role == 'leader' and n.ready and n.applied == n.last() for n in self.nodes.values()):
                break

    def check(self):
        leaders = [n for n in self.nodes.values() if n.role == 'leader' and n.ready]
        if not leaders:
            raise Violation('no sequencer within 20 s of quiet')
        stuck = [c.id for c in self.clients.values() if c.op is not None]
        if stuck:
            raise Violation(f'clients {stuck} have no outcome within 20 s of quiet')
        # The sequence without repetitions is the witness of serializability.
        order, seen = [], set()
        for i in sorted(self.order):
            kind, id = self.order[i]
            if kind == 'txn' and id not in seen:
                seen.add(id)
                order.append(id)
        state, states, latest_start = {}, [], 0
        versions = [dict(state)]
        last_of = {}
        for pos, id in enumerate(order):
            t = self.proposed[id]
            # A transaction that is there twice was applied once: only the first occurrence counts, and its conditions must hold there.
            for k, v in t['checks'].items():
                if state.get(k) != v:
                    raise Violation(f'{id} was applied although {k} was {state.get(k)} and not {v}')
            state.update(t['writes'])
            versions.append(dict(state))
        for id, t in self.proposed.items():
            if t['end'] is not None and id not in seen:
                raise Violation(f'{id} was acknowledged and is lost')
            if id in self.refused and id in seen:
                raise Violation(f'{id} was refused, and took effect')
        # Real time: a transaction that ended before another one began comes before it.
        ended = 0
        position = {id: i for i, id in enumerate(order)}
        for a in order:
            ta = self.proposed[a]
            if ta['end'] is None:
                continue
            for b in order[:position[a]]:
                if self.proposed[b]['start'] > ta['end']:
                    raise Violation(f'{b} began after {a} had ended, and is before it')
        for h in self.history:
            first = max((position[id] + 1 for id in order if self.proposed[id]['end'] is not None and self.proposed[id]['end'] < h['start']), default=0)
            last = min((position[id] for id in order if self.proposed[id]['start'] > h['end']), default=len(order))
            if not any(all(versions[v].get(k) == x for k, x in h['values'].items()) for v in range(first, last + 1)):
                raise Violation(f'a read at {h["start"]}-{h["end"]} saw {h["values"]}: no version {first}..{last} has that')
        for n in self.nodes.values():
            shown = {k: v[1] for k, v in n.d.store.docs.items() if not isinstance(k, tuple) and v[1] is not None}
            if shown != {k: v for k, v in state.items() if v is not None}:
                raise Violation(f'node {n.id} shows {shown}, the sequence gives {state}')


def explore(seeds, steps, start, broken=()):
    total = dict(acked=0, conflicts=0, reads=0, entries=0)
    for seed in range(start, start + seeds):
        w = World(seed, steps, broken)
        try:
            w.run()
        except Violation as v:
            return seed, str(v), total
        except Exception as error:
            if not broken:
                raise
            return seed, f'{type(error).__name__}: {error}', total           # a broken rule may break the model itself
        total['acked'] += w.acked
        total['conflicts'] += w.conflicts
        total['reads'] += len(w.history)
        total['entries'] += len(w.order)
    return None, None, total


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--seeds', type=int, default=200)
    p.add_argument('--steps', type=int, default=1000)
    p.add_argument('--start', type=int, default=0)
    p.add_argument('--mutants', action='store_true')
    p.add_argument('--only')
    a = p.parse_args()
    if not a.mutants:
        seed, why, total = explore(a.seeds, a.steps, a.start)
        print(total)
        if seed is not None:
            print(f'seed {seed}: {why}')
            sys.exit(1)
        print(f'{a.seeds} histories, no violation')
        return
    missed = []
    for m in MUTANTS:
        if a.only and m != a.only:
            continue
        seed, why, _ = explore(a.seeds, a.steps, a.start, [m])
        print(f'{m:22} {"caught at seed " + str(seed) + ": " + why if why else "NOT CAUGHT"}   ({MUTANTS[m]})', flush=True)
        if why is None:
            missed.append(m)
    print(f'{len(MUTANTS) - len(missed)} of {len(MUTANTS)} caught')


if __name__ == '__main__':
    main()
