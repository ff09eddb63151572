using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Leases;

namespace Datacake.EventualConsistency;

// The leases of a store.
public sealed partial class ReplicatedStore
{
    /// <summary>Gets the leases, for <see cref="NodeLeases"/>.</summary>
    internal LeaseTaker Leases { get; }

    LeaseTaker CreateLeases() => new(
        new LeaseRegister(
            async (key, token) => (await ReadAsync(LeaseRegister.Keyspace, [key], Consistency.Serial, token).ConfigureAwait(false))[0],
            CommitSerialAsync,
            token => WatchAsync(LeaseRegister.Keyspace, WatchPosition.Now, token),
            () => _parts.Sequencing.Status.Founding.TokenFloor,
            _options.AcknowledgmentTimeout,
            _node.TimeProvider,
            _parts.Context.Logger),
        token => DeclareAsync(new KeyspaceDeclaration(LeaseRegister.Keyspace, MergePolicy.Serial, []), token));
}
