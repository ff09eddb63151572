using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Links;

/// <summary>The parts of the store that every session uses. <paramref name="Stopping"/> is canceled when the store closes.</summary>
sealed record SessionContext(
    StoreHost Host, Replica Replica, Sequencer Sequencer, IStorage Storage, CommitLoop Loop, AcknowledgmentBoard Board, PeerLinks Links, PeerConditions Conditions, CurrentMembership Membership,
    DamageLog Damages, ILogger Logger, CancellationToken Stopping)
{
    public DatacakeNode Node => Host.Node;

    public DocumentReader Reader { get; } = new(Replica, Storage);
}
