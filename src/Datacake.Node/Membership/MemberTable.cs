using System.Buffers.Binary;
using System.IO.Hashing;
using Datacake.Node.Gossip;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>
/// What is known of the other nodes, kept in the node's store: a node that restarts finds them though no seed can be reached, and those
/// that are down go on being members.
/// </summary>
sealed class MemberTable(IStorage storage, ILogger logger)
{
    /// <summary>Apart from the keys of the replicated store, which begin with small bytes.</summary>
    public static readonly ReadOnlyMemory<byte> Key = new byte[] { 0xF0, (byte)'m' };

    bool _isFailing;

    /// <summary>Loads what was kept last; null if there is nothing, or nothing of use, which is logged.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public async Task<RememberedNodes?> LoadAsync(string clusterId, CancellationToken cancellationToken)
    {
        using var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        if ((await snapshot.GetAsync(Key, cancellationToken).ConfigureAwait(false))?.ToArray() is not { } kept)
            return null;
        using var codec = new GossipCodec();
        string? error = "they are not what was written there";
        if (HasRightChecksum(kept) && RememberedNodes.TryDecode(kept.AsSpan(..^sizeof(ulong)), codec, out var nodes, out error))
        {
            if (nodes.ClusterId == clusterId)
                return nodes;
            error = $"they are of cluster '{nodes.ClusterId}', and this node is of cluster '{clusterId}'";
        }
        NodeLog.MembersNotRead(logger, storage.Description, error);
        return null;
    }

    /// <summary>Keeps what is known whenever a member comes, goes or changes its state, and once more in the end.</summary>
    /// <param name="watch">The changes, until the node stops.</param>
    /// <param name="encode">Encodes what is known.</param>
    public async Task KeepAsync(IAsyncEnumerable<IReadOnlyList<MembershipChange>> watch, Func<byte[]> encode)
    {
        await foreach (var changes in watch.ConfigureAwait(false))
            if (changes.Any(change => change.Kind != MembershipChangeKind.Updated))
                await SaveAsync(encode()).ConfigureAwait(false);
        await SaveAsync(encode()).ConfigureAwait(false);
    }

    /// <summary>Returns a record as it is stored: a byte that the disk has changed must not send this node to another address.</summary>
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
            // It takes the place of the record before it, also in a file that has reached its size.
            var batch = new WriteBatch { MayUseReserve = true };
            batch.Put(Key, WithChecksum(encoded));
            // What a loss of power takes is learned again from the others.
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
