namespace Datacake.AspNetCore.SignalR;

/// <summary>The result of a client that another node has received: a completion message in a protocol.</summary>
readonly record struct RelayedResult(string Protocol, ReadOnlyMemory<byte> Completion);

/// <summary>A question to all peers about a connection that one of them may have. Thread-safe.</summary>
sealed class PeerRequest(long id, IReadOnlyCollection<PeerLink> peers)
{
    readonly Lock _lock = new();
    readonly HashSet<PeerLink> _awaited = [.. peers];           // this and below: under the lock
    readonly List<string> _lost = [];
    readonly TaskCompletionSource<bool> _found = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<RelayedResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    PeerLink? _holder;

    public long Id => id;

    /// <summary>
    /// Gets a task that is true when a peer has the connection, and has carried out the request if it is for a group. It is false if no peer has it. It fails with an <see cref="IOException"/> if a
    /// peer went away before its answer, so that this is not known.
    /// </summary>
    public Task<bool> Found => _found.Task;

    /// <summary>Gets a task with the result of the client, if the request asks for one.</summary>
    public Task<RelayedResult> Result => _result.Task;

    /// <summary>Describes the peers that have not answered, for a message.</summary>
    public string DescribeAwaited()
    {
        lock (_lock)
            return string.Join(", ", _awaited.Select(static peer => $"node {peer.NodeId}").Order(StringComparer.Ordinal));
    }

    public void OnFound(PeerLink peer)
    {
        lock (_lock)
        {
            _holder ??= peer;
            _awaited.Remove(peer);
        }
        _found.TrySetResult(true);
    }

    public void OnNotHere(PeerLink peer)
    {
        lock (_lock)
            _awaited.Remove(peer);
        Conclude();
    }

    public void OnResult(RelayedResult result)
    {
        _found.TrySetResult(true);
        _result.TrySetResult(result);
    }

    public void OnFailed(string reason)
    {
        _found.TrySetResult(true);
        Fail(new IOException(reason));
    }

    /// <summary>Handles the loss of a peer.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="reason">The reason, as the end of a sentence.</param>
    public void OnLost(PeerLink peer, string reason)
    {
        bool hasLostHolder;
        lock (_lock)
        {
            hasLostHolder = _holder == peer;
            if (_awaited.Remove(peer))
                _lost.Add($"Node {peer.NodeId} {reason} before it answered.");
        }
        if (hasLostHolder)
            Fail(new IOException($"Node {peer.NodeId}, which has the connection, {reason} before the client returned a result."));
        Conclude();
    }

    /// <summary>Completes the question if no peer is left that could have the connection. Call it once after the question was sent.</summary>
    public void Conclude()
    {
        string lost;
        lock (_lock)
        {
            if (_awaited.Count > 0 || _holder is not null)
                return;
            lost = string.Join(' ', _lost);
        }
        if (lost.Length == 0)
        {
            _found.TrySetResult(false);
            return;
        }
        if (_found.TrySetException(new IOException(lost)))
            _ = _found.Task.Exception;                          // the caller may have given up
    }

    void Fail(IOException failure)
    {
        if (_result.TrySetException(failure))
            _ = _result.Task.Exception;
    }
}
