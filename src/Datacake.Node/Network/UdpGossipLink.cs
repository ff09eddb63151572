using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Datacake.Node.Diagnostics;
using Datacake.Node.Gossip;
using Datacake.Rpc.Sealing;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Network;

/// <summary>
/// A gossip link over UDP. Each message is one datagram, and a reply goes to the endpoint that the message came from. With a seal, the link
/// accepts only datagrams that nodes of the cluster have sealed for the current life of this node, and it never answers a datagram that was
/// made without the cluster secret. Without a seal, the link behaves like the Rust library chitchat.
/// </summary>
sealed class UdpGossipLink : IGossipLink
{
    /// <summary>The maximum length of an IPv4 datagram in bytes.</summary>
    const int MaxDatagramLength = 65_507;

    readonly Socket _socket;
    readonly DatagramSeal? _seal;
    readonly PeerLives _lives = new();
    readonly UdpEndpoints _endpoints;
    readonly TimeSpan _timeout;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly LastingConditions _conditions;     // used by the receiver only
    readonly CancellationTokenSource _stop = new();

    // The key is the number of the exchange, which the answer repeats.
    readonly ConcurrentDictionary<ulong, Waiting> _waiting = new();
    Task _receiving = Task.CompletedTask;

    UdpGossipLink(Socket socket, DatagramSeal? seal, HostResolver resolve, TimeSpan timeout, TimeProvider time, ILogger logger)
    {
        _socket = socket;
        _seal = seal;
        _conditions = new LastingConditions(time);
        _endpoints = new UdpEndpoints(resolve, time);
        _timeout = timeout;
        _time = time;
        _logger = logger;
    }

    public int MaxMessageLength => _seal is null ? MaxDatagramLength : MaxDatagramLength - DatagramSeal.Overhead;

    /// <exception cref="InvalidOperationException">The port cannot be bound.</exception>
    public static UdpGossipLink Bind(
        IPEndPoint endpoint, DatagramSeal? seal, HostResolver resolve, TimeSpan timeout, TimeProvider time, ILogger logger)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            // On macOS, the size of the send buffer limits datagrams, and is 9,216 bytes by default.
            if (socket.SendBufferSize < MaxDatagramLength)
                socket.SendBufferSize = MaxDatagramLength;
            socket.Bind(endpoint);
            return new UdpGossipLink(socket, seal, resolve, timeout, time, logger);
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new InvalidOperationException(
                $"The UDP endpoint {endpoint} for gossip cannot be bound: {failure.Message}. "
                + "Listen on a port that is free for both TCP and UDP.", failure);
        }
    }

    public void Open(GossipReceiver receiver) => _receiving = ReceiveAsync(receiver, _stop.Token);

    public async Task<ExchangeResult> ExchangeAsync(GossipTarget target, ulong exchange, byte[] syn, CancellationToken cancellationToken)
    {
        var failure = "The node is stopping.";
        var waiting = new Waiting();
        _waiting[exchange] = waiting;
        try
        {
            waiting.Syn = syn;
            waiting.Target = await _endpoints.FindAsync(target, cancellationToken).ConfigureAwait(false);
            await OpenExchangeAsync(waiting, cancellationToken).ConfigureAwait(false);
            return await waiting.Answer.Task.WaitAsync(_timeout, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is SocketException or TimeoutException)
        {
            failure = error is TimeoutException ? $"No answer came within {_timeout.TotalSeconds:0.###} s." : error.Message;
            _endpoints.Failed(target);
            NodeLog.ExchangeFailed(_logger, target.Address, failure);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node is stopping.
        }
        finally
        {
            _waiting.TryRemove(exchange, out _);
        }
        return new ExchangeResult(ExchangeOutcome.Silent, Failure: failure);
    }

    async ValueTask OpenExchangeAsync(Waiting waiting, CancellationToken cancellationToken)
    {
        waiting.Life = _lives.At(Unmapped(waiting.Target!));
        var datagram = waiting.Syn;
        if (_seal is not null)
        {
            datagram = _seal.Seal(waiting.Syn, waiting.Life, out ulong number);
            waiting.Number = number;
        }
        await _socket.SendToAsync(datagram, SocketFlags.None, waiting.Target!, cancellationToken).ConfigureAwait(false);
    }

    ValueTask<int> SendAsync(byte[] message, IPEndPoint receiver, CancellationToken cancellationToken)
    {
        var datagram = _seal?.Seal(message, _lives.At(Unmapped(receiver)), out _) ?? message;
        return _socket.SendToAsync(datagram, SocketFlags.None, receiver, cancellationToken);
    }

    async Task ReceiveAsync(GossipReceiver receiver, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxDatagramLength];
        var anyone = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone, cancellationToken).ConfigureAwait(false);
                var sender = (IPEndPoint)received.RemoteEndPoint;
                var datagram = buffer.AsMemory(0, received.ReceivedBytes);
                if (_seal is null)
                    await HandleAsync(datagram, sender, receiver, cancellationToken).ConfigureAwait(false);
                else
                    await UnsealAsync(_seal, datagram, sender, receiver, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException failure)
            {
                // A failure that concerns one datagram, such as an unreachable port, must not end the loop.
                NodeLog.ExchangeFailed(_logger, "UDP", failure.Message);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    async ValueTask UnsealAsync(
        DatagramSeal seal, ReadOnlyMemory<byte> datagram, IPEndPoint sender, GossipReceiver receiver, CancellationToken cancellationToken)
    {
        var opened = seal.Open(datagram.Span);
        _conditions.EndQuiet(LastingConditions.Quiet);
        switch (opened.Kind)
        {
            case DatagramKind.Refused:
                // Addresses of senders can be forged, so all refused datagrams count as one condition.
                if (_conditions.Note("refused datagrams", out long count, _ => NodeLog.DatagramsAccepted(_logger)))
                    NodeLog.DatagramRefused(_logger, Unmapped(sender), count);
                break;
            case DatagramKind.Outdated:
                if (seal.TellLife(opened, datagram.Length) is { } life)
                    await _socket.SendToAsync(life, SocketFlags.None, sender, cancellationToken).ConfigureAwait(false);
                break;
            case DatagramKind.Life:
                _lives.Learn(Unmapped(sender), opened.Sender);
                await ReopenAsync(opened, cancellationToken).ConfigureAwait(false);
                break;
            case DatagramKind.Message:
                _lives.Learn(Unmapped(sender), opened.Sender);
                await HandleAsync(opened.Contents, sender, receiver, cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    /// <summary>
    /// Repeats the opening message of an exchange that the peer could not accept, because its current life was not yet known here. The
    /// number of the datagram identifies the exchange, because a node with several addresses may answer from one that was not dialed.
    /// </summary>
    async ValueTask ReopenAsync(OpenedDatagram told, CancellationToken cancellationToken)
    {
        foreach (var waiting in _waiting.Values)
        {
            if (waiting.Number != told.Number || waiting.Life == told.Sender || waiting.Target is not { } target)
                continue;
            _lives.Learn(Unmapped(target), told.Sender);
            await OpenExchangeAsync(waiting, cancellationToken).ConfigureAwait(false);
        }
    }

    async ValueTask HandleAsync(
        ReadOnlyMemory<byte> message, IPEndPoint sender, GossipReceiver receiver, CancellationToken cancellationToken)
    {
        var receipt = receiver(message.Span, Unmapped(sender).Address.ToString());
        if (receipt.Reply.Length > 0)
            await SendAsync(receipt.Reply, sender, cancellationToken).ConfigureAwait(false);
        if (receipt.IsAnswer)
            Complete(receipt, Unmapped(sender));
    }

    /// <summary>
    /// Completes the exchange that a message answers, after its last message was sent. Another implementation does not number its answers,
    /// so these are matched by the endpoint that they come from.
    /// </summary>
    void Complete(GossipReceipt receipt, IPEndPoint sender)
    {
        var result = new ExchangeResult(receipt.Outcome, receipt.Sender);
        if (receipt.Exchange != 0 && _waiting.TryGetValue(receipt.Exchange, out var numbered))
            numbered.Answer.TrySetResult(result);
        if (receipt.Sender is null)
            foreach (var waiting in _waiting.Values)
                if (sender.Equals(waiting.Target))
                    waiting.Answer.TrySetResult(result);
    }

    static IPEndPoint Unmapped(IPEndPoint endpoint)
        => endpoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endpoint.Address.MapToIPv4(), endpoint.Port) : endpoint;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _receiving.ConfigureAwait(false);
        _socket.Dispose();
        _seal?.Dispose();
        _stop.Dispose();
    }

    sealed class Waiting
    {
        public TaskCompletionSource<ExchangeResult> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Gets or sets the opening message.</summary>
        public byte[] Syn { get; set; } = [];

        /// <summary>Gets or sets the endpoint. Written by the exchange before it sends; read by the receiver.</summary>
        public IPEndPoint? Target { get; set; }

        /// <summary>Gets or sets the peer's life for which the opening message was sealed; 0 if the life was not known.</summary>
        public UInt128 Life { get; set; }

        /// <summary>Gets or sets the number of the datagram with the opening message.</summary>
        public ulong Number { get; set; }
    }
}
