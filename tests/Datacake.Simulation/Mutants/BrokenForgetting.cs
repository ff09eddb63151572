using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Mutants;

sealed class StableIgnoresAbsent() : Mutant("R10: absent members do not count for stability")
{
    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        var replica = machine.Replica!;
        byte[] absent = [.. replica.Identity.Members.Keys
            .Where(node => node != machine.Node && !replica.Sessions.ContainsKey(node) && replica.Identity.Forgotten.Add(node))];
        await work();
        replica.Identity.Forgotten.ExceptWith(absent);
    }
}

sealed class ForgottenForever() : Mutant("R10: a forgotten member stays forgotten when it returns")
{
    readonly HashSet<(Machine, byte)> _forgotten = [];

    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        var forgotten = machine.Replica!.Identity.Forgotten;
        _forgotten.UnionWith(forgotten.Select(node => (machine, node)));
        byte[] again = [.. machine.Replica.Identity.Members.Keys
            .Where(node => _forgotten.Contains((machine, node)) && forgotten.Add(node))];
        await work();
        forgotten.ExceptWith(again);
    }
}

sealed class JoiningDoesNotCount() : Mutant("R10: a member without a report does not count for stability")
{
    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        var replica = machine.Replica!;
        byte[] silent = [.. replica.Identity.Members.Keys
            .Where(node => node != machine.Node && !replica.HasRun(node) && replica.Identity.Forgotten.Add(node))];
        await work();
        replica.Identity.Forgotten.ExceptWith(silent);
    }
}

sealed class EarlierLivesCount() : Mutant("R10: the knowledge of a disk's earlier life counts for the disk that replaced it")
{
    public override string Theme => "lives";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message)
    {
        if (message is not Report report)
            return message;
        var members = new Dictionary<byte, StoreMember>(report.Table.Members);
        foreach (var (node, member) in target.Replica!.Identity.Members)
            members[node] = member;
        return report with { Table = report.Table with { Members = members } };
    }
}

sealed class UnionAcrossRuns() : Mutant("R10: the knowledge of a member's later run is added to that of an earlier run")
{
    readonly Dictionary<(Machine, Machine), VersionVector> _heard = [];

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message)
    {
        if (message is not Hello { Run.IsNone: false } hello)
            return message;
        var heard = _heard.GetValueOrDefault((target, source), VersionVector.Empty)
            .Union(hello.Known).Union(target.Replica!.KnownOf(source.Node));
        _heard[(target, source)] = heard;
        return hello with { Known = heard };
    }
}

sealed class PurgeAtOnce() : Mutant("R11: dead documents are purged at once")
{
    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        await work();
        await Purging.PurgeAsync(machine, batch, (document, policy) => document.IsAlive(policy) ? document : Document.Nothing);
    }
}

sealed class PurgeByDelete() : Mutant("R11: a dead document is purged when its delete is truncated, regardless of its other stamps")
{
    public override string Theme => "duel";

    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        await work();
        var truncated = batch.State.Truncated;
        await Purging.PurgeAsync(machine, batch, (document, policy) =>
            document.IsAlive(policy) || !truncated.Contains(document.Died) ? document : Document.Nothing);
    }
}

sealed class PurgeCellsAtOnce() : Mutant("R11: removed cells are purged at once")
{
    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        await work();
        await Purging.PurgeAsync(machine, batch, (document, _) => document.Filter(cell => !cell.IsRemoved));
    }
}

sealed class EmptyTombstones() : Mutant("R11: the cells of a dead document are purged at once, its tombstone later")
{
    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        await work();
        await Purging.PurgeAsync(machine, batch, (document, policy) => document.IsAlive(policy) ? document : document.Filter(_ => false));
    }
}

sealed class TruncatePartly() : Mutant("R11: a log record is removed when the first of its transactions is truncated")
{
    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        await work();
        foreach (var (key, value) in machine.Disk.Range(StoreLayout.AllLog))
        {
            var record = LogRecord.Decode(StoreLayout.StampOfLogKey(key.Span), value);
            int stable = record.Transactions.Count(transaction => machine.Replica!.Stable(machine.Replica.State).Contains(transaction.Stamp));
            if (isCollecting && stable > 0 && stable < record.Transactions.Length)
                batch.RemoveLog(record.First);
        }
    }
}

sealed class PutsPurgeNothing() : Mutant("R11: truncating a put does not check whether its document is dead")
{
    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        await work();
        foreach (var (key, value) in machine.Disk.Range(StoreLayout.AllLog))
        {
            var record = LogRecord.Decode(StoreLayout.StampOfLogKey(key.Span), value);
            bool isPut = true;
            foreach (var (stamp, documents) in record.Transactions)
            {
                foreach (var document in documents)
                    isPut &= (await batch.PeekAsync(document)).Born == stamp;
            }
            if (isPut && !batch.State.Truncated.Contains(record.First))
                batch.Extra.Put(key, (record with { MayPurge = false }).Encode());
        }
    }
}

static class Purging
{
    public static async ValueTask PurgeAsync(Machine machine, ReplicaBatch batch, Func<Document, MergePolicy, Document> purge)
    {
        if (!machine.IsJoined)
            return;
        foreach (var (key, _) in machine.Disk.Range(StoreLayout.AllDocuments))
            batch.Write(key, purge(await batch.ReadAsync(key), machine.Replica!.Catalog[StoreLayout.KeyspaceOf(key.Span)].Policy));
    }
}

sealed class DeadKeyspacesAreRemoved() : Mutant("R11: a keyspace is removed as soon as all its documents are dead")
{
    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        await work();
        if (!isCollecting || !machine.IsJoined)
            return;
        foreach (var keyspace in machine.Replica!.Catalog.All)
        {
            if (!keyspace.IsDeclared && keyspace.State.Record.Count == 0 && !machine.Replica.Catalog.Unstored.Contains(keyspace))
                batch.Remove(keyspace);
        }
    }
}
