using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Mutants;

sealed class ExpiredAreForgotten() : Mutant("R20: what has expired is removed without regard to earlier puts that are still on their way")
{
    public override string Theme => "expiry";

    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        await work();
        await Purging.PurgeAsync(machine, batch, static (document, _) => document.IsLapsed ? Document.Nothing : document);
    }
}

sealed class ExpiriesAreNotSent() : Mutant("R20: a mutation does not say when its put expires")
{
    public override string Theme => "expiry";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message is Mutations mutations
        ? new Mutations([.. mutations.Items.Select(mutation => mutation with { Deltas = [.. mutation.Deltas.Select(delta => delta with { Document = Unexpiring(delta.Document) })] })])
        : message;

    static Document Unexpiring(Document document)
    {
        if (document.Expires.IsNone)
            return document;
        var cells = new DocumentContentBuilder();
        foreach (var cell in document.Cells)
            cells.Set(cell.EncodedPath, cell.Value);
        return Document.Put(document.Born, cells.Build());
    }
}

sealed class UpdatesRevive() : Mutant("R20: an update revives a document that has expired")
{
    public override string Theme => "expiry";

    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        await work();
        await Purging.PurgeAsync(machine, batch, static (document, _) =>
        {
            if (!document.IsLapsed || document.Touched <= document.Born)
                return document;
            return Document.Merge(Document.Put(document.Born, DocumentContent.Empty), document.Died.IsNone ? Document.Nothing : Document.Delete(document.Died));
        });
    }
}

sealed class ExpiryIsNoPurge() : Mutant("R20: the purge mark does not say that expired documents were purged")
{
    public override string Theme => "expiry estranged";

    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        var before = batch.State.Purged;
        await work();
        batch.State = batch.State with { Purged = before };
    }
}
