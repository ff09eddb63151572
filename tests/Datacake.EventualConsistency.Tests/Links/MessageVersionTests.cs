using Datacake.Crdt;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Rpc;
using MessagePack;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>Messages of a later version between nodes that are updated one by one.</summary>
public sealed class MessageVersionTests
{
    const byte LaterKind = 99;

    static readonly ProtocolVersion Current = ProtocolVersion.Current;
    static readonly ProtocolVersion Later = new(Current.Version + 1, Current.Version, Capabilities: 1);

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 8)]
    public async Task Messages_of_an_unknown_kind_from_a_peer_of_a_later_version_are_ignored(int versions, ulong capabilities)
    {
        var log = new CollectingLog();
        await using var cluster = new TestCluster();
        await cluster.AddAsync(1, log: log);
        await using var channel = new RpcChannel(cluster[1].Node.Address);
        var hello = await RawSession.HelloAsync(cluster[1].Node.ClusterId);
        await using var stream = await RawSession.OpenAsync(channel, hello with { Protocol = new ProtocolVersion(Current.Version + versions, Current.Oldest, capabilities) });

        await stream.WriteAsync(new LaterMessage(1).Encoded, Canceled);
        await stream.WriteAsync(new LaterMessage(2).Encoded, Canceled);
        await stream.WriteAsync(new KnownRequest(7).Encoded, Canceled);

        Assert.Equal(7ul, (await RawSession.ReadUntilAsync<KnownReply>(stream)).Id);
        Assert.Single(log.Messages, static message => message.Contains($"messages of the kind {LaterKind}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Message_of_an_unknown_kind_from_a_peer_of_the_same_version_ends_the_session()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await using var channel = new RpcChannel(cluster[1].Node.Address);
        await using var stream = await RawSession.OpenAsync(channel, await RawSession.HelloAsync(cluster[1].Node.ClusterId));

        await stream.WriteAsync(new LaterMessage(1).Encoded, Canceled);

        Assert.Contains($"kind {LaterKind} is unknown", (await RawSession.ReadUntilAsync<Refusal>(stream)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Peer_of_this_version_gets_no_message_of_a_later_version_and_older_forms_of_others()
    {
        await using var session = await LinkedPeer.StartAsync(Current.With(Later)!.Value);

        session.Link.Post(new LaterMessage(1));
        Assert.False(session.Link.TryPost(new LaterMessage(2)));
        session.Link.Post(new LaterRollCall(3, "reason"));
        session.Link.Post(new RollCall(4));

        Assert.Equal(new RollCall(3).Encoded, await session.ReadAsync());
        Assert.Equal(new RollCall(4).Encoded, await session.ReadAsync());
    }

    [Fact]
    public async Task Peer_of_a_later_version_gets_its_messages()
    {
        await using var session = await LinkedPeer.StartAsync(Later.With(Later)!.Value);
        var (later, call) = (new LaterMessage(1), new LaterRollCall(3, "reason"));

        session.Link.Post(later);
        Assert.True(session.Link.TryPost(call));

        Assert.Equal(later.Encoded, await session.ReadAsync());
        byte[] received = await session.ReadAsync();
        Assert.Equal(call.Encoded, received);
        Assert.Equal(3ul, Assert.IsType<RollCall>(ReplicaMessage.Decode(received)).Nonce);
    }

    [Fact]
    public async Task Request_that_the_version_of_the_session_lacks_fails_at_once()
    {
        await using var session = await LinkedPeer.StartAsync(Current.With(Later)!.Value);

        var failure = await Assert.ThrowsAsync<ReadFailedException>(() => session.Link.Reads.AskAsync(static id => new LaterMessage(id), Canceled));

        Assert.Contains($"version {Current.Version} of the protocol", failure.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(LaterMessage), failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A kind of message that only the later version has.</summary>
    sealed record LaterMessage(ulong Id) : ReplicaMessage
    {
        protected override MessageKind MessageKind => (MessageKind)LaterKind;

        public override ReplicaMessage? FormFor(ProtocolVersion shared) => shared.Version >= Later.Version ? this : null;

        protected override void Write(ref MessagePackWriter writer) => writer.Write(Id);
    }

    /// <summary>A roll call to which the later version appends a value.</summary>
    sealed record LaterRollCall(ulong Nonce, string Reason) : ReplicaMessage
    {
        protected override MessageKind MessageKind => MessageKind.RollCall;

        public override ReplicaMessage FormFor(ProtocolVersion shared) => shared.Version >= Later.Version ? this : new RollCall(Nonce);

        protected override void Write(ref MessagePackWriter writer)
        {
            writer.Write(Nonce);
            writer.Write(Reason);
        }
    }

    /// <summary>A link, and the other end of its stream.</summary>
    sealed class LinkedPeer : IAsyncDisposable
    {
        readonly RpcServer _server;
        readonly RpcChannel _channel;
        readonly StreamService _service;
        readonly RpcStream _stream;
        readonly Task[] _sending;

        LinkedPeer(RpcServer server, RpcChannel channel, StreamService service, RpcStream stream, ProtocolVersion shared)
        {
            (_server, _channel, _service, _stream) = (server, channel, service, stream);
            Link = new PeerLink(RawSession.Peer, stream, NullLogger.Instance) { Protocol = shared };
            _sending = Link.StartSending(Canceled);
        }

        public PeerLink Link { get; }

        public static async Task<LinkedPeer> StartAsync(ProtocolVersion shared)
        {
            var server = await RpcServer.StartAsync("127.0.0.1:0");
            var service = new StreamService();
            server.AddService(service);
            var channel = new RpcChannel(server.Address);
            return new LinkedPeer(server, channel, service, await channel.OpenStreamAsync(StoreHost.OwnServiceName, SessionService.SessionMessage, cancellationToken: Canceled), shared);
        }

        /// <summary>Returns the bytes of the next message that the link has sent.</summary>
        public async Task<byte[]> ReadAsync()
        {
            var accepted = await _service.Accepted.Task.WaitAsync(TestCluster.Deadline, Canceled);
            using var payload = await accepted.ReadAsync(Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled) ?? throw new EndOfStreamException();
            return payload.Memory.ToArray();
        }

        public async ValueTask DisposeAsync()
        {
            Link.Close();
            await Task.WhenAll(_sending).WaitAsync(TestCluster.Deadline, Canceled);
            _service.Over.TrySetResult();
            await _stream.DisposeAsync();
            await _channel.DisposeAsync();
            await _server.DisposeAsync();
        }
    }

    /// <summary>Accepts one stream, which stays open until the test is over.</summary>
    sealed class StreamService : RpcService
    {
        public TaskCompletionSource<RpcStream> Accepted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override string Name => StoreHost.OwnServiceName;

        protected override void Register(RpcHandlers handlers) => handlers.HandleStream(SessionService.SessionMessage, async (stream, _) =>
        {
            Accepted.TrySetResult(stream);
            await Over.Task;
        });
    }
}
