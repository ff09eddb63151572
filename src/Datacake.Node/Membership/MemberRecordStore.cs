using System.Buffers.Binary;
using System.IO.Hashing;
using Datacake.Node.Diagnostics;
using Datacake.Node.Gossip;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Membership;

/// <summary>
/// The record of the other nodes in this node's storage. With it, a restarted node finds the others even if no seed can be reached, and
/// nodes that are down remain members.
/// </summary>
sealed class MemberRecordStore(IStorage storage, ILogger logger)
{
    bool _isFailing;

    /// <summary>Loads the last record. Returns null if there is none, or if it is unusable, which is logged.</summary>
    /// <exception cref="StorageException">The storage cannot be read.</exception>
    public async Task<RememberedNodes?> LoadAsync(string clusterId, CancellationToken cancellationToken)
    {
        using var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        if ((await snapshot.GetAsync(NodeLayout.MemberRecordKey, cancellationToken).ConfigureAwait(false))?.ToArray() is not { } kept)
            return null;
        using var codec = new GossipCodec();
        string? error = "its checksum is wrong";
        if (HasRightChecksum(kept) && RememberedNodes.TryDecode(kept.AsSpan(..^sizeof(ulong)), codec, out var nodes, out error))
        {
            if (nodes.ClusterId == clusterId)
                return nodes;
            error = $"it belongs to cluster '{nodes.ClusterId}', but this node belongs to cluster '{clusterId}'";
        }
        NodeLog.MembersNotRead(logger, storage.Description, error);
        return null;
    }

    /// <summary>Saves the record whenever a member is added, is removed or changes its state, and once more when the node stops.</summary>
    /// <param name="watch">The membership changes, until the node stops.</param>
    /// <param name="encode">Encodes the record.</param>
    public async Task SaveOnChangeAsync(IAsyncEnumerable<IReadOnlyList<MembershipChange>> watch, Func<byte[]> encode)
    {
        await foreach (var changes in watch.ConfigureAwait(false))
            if (changes.Any(change => change.Kind != MembershipChangeKind.Updated))
                await SaveAsync(encode()).ConfigureAwait(false);
        await SaveAsync(encode()).ConfigureAwait(false);
    }

    /// <summary>Appends a checksum to a record, so that a byte corrupted on disk does not lead this node to a wrong address.</summary>
    internal static byte[] WithChecksum(byte[] encoded)
    {
        byte[] stored = new byte[encoded.Length + sizeof(ulong)];
        encoded.CopyTo(stored, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(stored.AsSpan(encoded.Length), XxHash3.HashToUInt64(encoded));
        return stored;
    }

    static bool HasRightChecksum(ReadOnlySpan<byte> stored) => stored.Length >= sizeof(ulong)
        && BinaryPrimitives.ReadUInt64LittleEndian(stored[^sizeof(ulong)..]) == XxHash3.HashToUInt64(stored[..^sizeof(ulong)]);

    async Task SaveAsync(byte[] encoded)
    {
        try
        {
            // The record replaces the previous one, so it may be written even if the file has reached its maximum size.
            var batch = new WriteBatch { MayUseReserve = true };
            batch.Put(NodeLayout.MemberRecordKey, WithChecksum(encoded));
            // After a loss of power, the node learns again from the others what the record lacks.
            await storage.CommitAsync(batch, Durability.Buffered, CancellationToken.None).ConfigureAwait(false);
            _isFailing = false;
        }
        catch (Exception failure)
        {
            if (!_isFailing)
                NodeLog.MembersNotKept(logger, storage.Description, failure);
            _isFailing = true;
        }
    }
}
