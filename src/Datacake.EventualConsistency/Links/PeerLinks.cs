using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The links of a replica's open sessions, one per session, and the distribution of messages to them. Changed only on the commit loop,
/// together with the replica's sessions; read by any thread.
/// </summary>
sealed class PeerLinks
{
    // Fits into one frame, and into an array at the receiver that is too small to count as a large object for the runtime.
    const int MaxMutationsLength = Fragment.MaxFrameLength - 4 * 1024;

    volatile PeerLink[] _links = [];        // replaced as a whole

    /// <summary>Occurs on the commit loop when the session with a peer is opened or ends. Handlers must be fast.</summary>
    public event Action<byte>? Changed;

    public IReadOnlyList<PeerLink> All => _links;

    /// <summary>Returns the link of the session with a peer, or <see langword="null"/> if there is none.</summary>
    public PeerLink? Find(byte peer)
    {
        foreach (var link in _links)
        {
            if (link.Peer == peer)
                return link;
        }
        return null;
    }

    /// <summary>Adds the link of a session that has just been opened. A link that it replaces remains until it is ended.</summary>
    public void Add(PeerLink link)
    {
        _links = [link, .. _links];
        Changed?.Invoke(link.Peer);
    }

    public void Remove(PeerLink link)
    {
        var links = _links;
        if (!links.Contains(link))
            return;
        _links = [.. links.Where(other => other != link)];
        Changed?.Invoke(link.Peer);
    }

    /// <summary>Ends the links of sessions that the replica has ended.</summary>
    public void End(IReadOnlyList<EndedSession> ended)
    {
        foreach (var (peer, session, refusal) in ended)
        {
            if (_links.FirstOrDefault(link => link.Peer == peer && link.Session == session) is not { } link)
                continue;
            Remove(link);
            link.End(new LinkEnd(refusal.Reason, refusal));
        }
    }

    /// <summary>Sends the messages of a committed batch.</summary>
    public void Dispatch(ReplicaBatch batch)
    {
        var links = _links;
        if (links.Length == 0)
            return;
        if (batch.Mutations.Count > 0)
        {
            foreach (var message in Split(batch.Mutations))
                Broadcast(message);
        }
        Post(links, batch.Outbox);
    }

    /// <summary>Sends the messages of a batch that need not wait for its commit.</summary>
    public void DispatchEarly(ReplicaBatch batch) => Post(_links, batch.EarlyOutbox);

    static void Post(PeerLink[] links, List<Outgoing> messages)
    {
        foreach (var (peer, session, message) in messages)
        {
            foreach (var link in links)
            {
                if (peer is null || (link.Peer == peer && link.Session == session))
                    link.Post(message);
            }
        }
    }

    /// <summary>Sends a message to all peers.</summary>
    public void Broadcast(ReplicaMessage message)
    {
        foreach (var link in _links)
            link.Post(message);
    }

    /// <summary>
    /// Divides a long list of transactions into messages that fit into a frame, unless a single transaction does not fit.
    /// </summary>
    static IEnumerable<Mutations> Split(List<Mutation> mutations)
    {
        int start = 0, length = 0;
        for (int i = 0; i < mutations.Count; i++)
        {
            int next = LengthOf(mutations[i]);
            if (i > start && length + next > MaxMutationsLength)
            {
                yield return new Mutations(mutations.GetRange(start, i - start));
                (start, length) = (i, 0);
            }
            length += next;
        }
        yield return new Mutations(start == 0 ? mutations : mutations.GetRange(start, mutations.Count - start));
    }

    static int LengthOf(Mutation mutation)
    {
        int length = 0;
        foreach (var delta in mutation.Deltas)
            length += delta.Document.Encoded.Length + delta.Name.Key.Length + 32;
        return length;
    }
}
