using Datacake.Crdt;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Rpc;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Reading;

/// <summary>Answers reads of other nodes from the local store, and pulls at their hint that something is missing here.</summary>
/// <param name="replica">The local replica.</param>
/// <param name="storage">Its storage.</param>
/// <param name="loop">Its writer.</param>
/// <param name="joined">Completes when it has joined its cluster: before, it has nothing to answer with.</param>
sealed class ReadService(Replica replica, IStorage storage, CommitLoop loop, Task joined) : RpcService
{
    public const string ServiceName = "documents", ReadMessage = "read", RepairMessage = "repair";

    public override string Name => ServiceName;

    /// <summary>The documents as they are here, dead ones too.</summary>
    public async ValueTask<IReadOnlyList<Document>> ReadAsync(ReadRequest request, CancellationToken cancellationToken)
    {
        var documents = new Document[request.Keys.Count];
        Array.Fill(documents, Document.Nothing);
        if (replica.Catalog.Find(request.Keyspace) is not { } keyspace)
            return documents;
        using var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < documents.Length; i++)
        {
            byte[] key = StoreLayout.DocumentKey(keyspace.Number, request.Keys[i].Encoded.Span);
            documents[i] = await ReplicaBatch.ReadStoredAsync(snapshot, key).ConfigureAwait(false);
        }
        return documents;
    }

    /// <summary>Fetches from a peer what is missing here, as ordinary replication does, but at once.</summary>
    public async ValueTask PullAsync(byte peer, CancellationToken cancellationToken) => await loop.RunAsync((batch, _) =>
    {
        if (replica.IsJoined && !replica.IsPulling && replica.Sessions.ContainsKey(peer))
            replica.StartPull(batch, peer);
        return ValueTask.FromResult(true);
    }, cancellationToken).ConfigureAwait(false);

    protected override void Register(RpcHandlers handlers)
    {
        handlers.HandleBytes(ReadMessage, async (request, cancellationToken) =>
        {
            var asked = ReadRequest.Decode(request.Payload);
            await joined.WaitAsync(cancellationToken).ConfigureAwait(false);
            var documents = await ReadAsync(asked, cancellationToken).ConfigureAwait(false);
            return new ReadReply(replica.Node, documents).Encode();
        });
        handlers.HandleBytes(RepairMessage, async (request, cancellationToken) =>
        {
            if (request.Payload is not { Length: 1 } peer)
                throw new InvalidDataException("The hint to repair does not name a node.");
            await PullAsync(peer.Span[0], cancellationToken).ConfigureAwait(false);
            return default;
        });
    }
}
