using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;

namespace Datacake.Trials.Attacks;

/// <summary>A faulty member that knows the secret, opens sessions with a node and attacks within them. It reopens its session when the session ends.</summary>
sealed class FaultyMember(Target target) : IAsyncDisposable
{
    /// <summary>The keyspace with the large documents that the member reads.</summary>
    public const string Keyspace = "large";

    const byte NodeId = 99;
    const int Keys = 400;

    readonly SemaphoreSlim _turn = new(1);
    RpcStream? _stream;
    Task _reading = Task.CompletedTask;
    ulong _lastId;

    public byte[] ReadOfAll() => new ReadRequest(
        Interlocked.Increment(ref _lastId), Keyspace, [.. Enumerable.Range(0, Keys).Select(key => DocumentKey.Of((long)key))]).Encoded;

    public byte[] FullPull() => new PullRequest(
        Interlocked.Increment(ref _lastId), VersionVector.Empty, VersionVector.Empty, IsJoining: true).Encoded;

    public async Task SendAsync(byte[] message, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_stream is null || _reading.IsCompleted)
                await OpenAsync(cancellationToken);
            await new LaneWriter(_stream!, MessageLane.Long).WriteAsync(message, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Waits until the node ends the session.</summary>
    public Task EndAsync(CancellationToken cancellationToken) => _reading.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_stream is { } stream)
            await stream.DisposeAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _turn.Dispose();
    }

    async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (_stream is { } over)
            await over.DisposeAsync();
        _stream = await target.Channel.OpenStreamAsync(StoreHost.OwnServiceName, SessionService.SessionMessage, default, cancellationToken);
        var hello = new Hello(
            ProtocolVersion.Current, null, "datacake", 0, NodeId, "default", (ulong)Random.Shared.NextInt64(), IsVolatile: true, TakesOver: true, (ulong)Random.Shared.NextInt64(), 1,
            IsInSession: false, HlcTimestamp.None, HlcTimestamp.None, DateTimeOffset.UtcNow, VersionVector.Empty, NodeRuns.Empty, [], [],
            new MemberTable(ImmutableDictionary<byte, StoreMember>.Empty, ImmutableHashSet<byte>.Empty, ImmutableDictionary<ulong, ReadOnlyMemory<byte>>.Empty, 0));
        await _stream.WriteAsync(hello.Encoded, cancellationToken);
        _reading = ReadAsync(_stream);
    }

    /// <summary>Reads slowly, so that the node's outgoing messages pile up.</summary>
    static async Task ReadAsync(RpcStream stream)
    {
        try
        {
            while (await stream.ReadAsync() is { } payload)
            {
                payload.Dispose();
                await Task.Delay(20);
            }
        }
        catch (Exception e) when (e is RpcException or ObjectDisposedException)
        {
            // The session has ended.
        }
    }
}
