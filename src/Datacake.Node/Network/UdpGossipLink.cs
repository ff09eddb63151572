using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>Gossip as the Rust library does it: one datagram for a message, replies to where it came from, no encryption.</summary>
sealed class UdpGossipLink : IGossipLink
{
    readonly Socket _socket;
    readonly UdpEndpoints _endpoints;
    readonly TimeSpan _timeout;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly CancellationTokenSource _stop = new();

    // By the number of the exchange, which the answer repeats.
    readonly ConcurrentDictionary<ulong, Waiting> _waiting = new();
    Task _receiving = Task.CompletedTask;

    UdpGossipLink(Socket socket, HostResolver resolve, TimeSpan timeout, TimeProvider time, ILogger logger)
    {
        _socket = socket;
        _endpoints = new UdpEndpoints(resolve, time);
        _timeout = timeout;
        _time = time;
        _logger = logger;
    }

    /// <summary>The largest datagram of IPv4.</summary>
    public int MaxMessageLength => 65_507;

    /// <exception cref="InvalidOperationException">The port is taken.</exception>
    public static UdpGossipLink Bind(IPEndPoint endpoint, HostResolver resolve, TimeSpan timeout, TimeProvider time, ILogger logger)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(endpoint);
            return new UdpGossipLink(socket, resolve, timeout, time, logger);
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new InvalidOperationException(
                $"UDP port {endpoint} for gossip cannot be bound: {failure.Message}. "
                + "Listen at a port that is free for TCP and UDP.", failure);
        }
    }

    public void Open(GossipReceiver receiver) => _receiving = ReceiveAsync(receiver, _stop.Token);

    public async Task<ExchangeResult> ExchangeAsync(GossipTarget target, ulong exchange, byte[] syn, CancellationToken cancellationToken)
    {
        var failure = "The node stops.";
        var waiting = new Waiting();
        _waiting[exchange] = waiting;
        try
        {
            waiting.Target = await _endpoints.FindAsync(target, cancellationToken).ConfigureAwait(false);
            await _socket.SendToAsync(syn, waiting.Target, cancellationToken).ConfigureAwait(false);
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
            // The node stops.
        }
        finally
        {
            _waiting.TryRemove(exchange, out _);
        }
        return new ExchangeResult(ExchangeOutcome.Silent, Failure: failure);
    }

    async Task ReceiveAsync(GossipReceiver receiver, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxMessageLength];
        var anyone = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var datagram = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone, cancellationToken).ConfigureAwait(false);
                var sender = (IPEndPoint)datagram.RemoteEndPoint;
                var receipt = receiver(buffer.AsSpan(0, datagram.ReceivedBytes), Unmapped(sender).Address.ToString());
                if (receipt.Reply.Length > 0)
                    await _socket.SendToAsync(receipt.Reply, sender, cancellationToken).ConfigureAwait(false);
                if (receipt.IsAnswer)
                    Complete(receipt, Unmapped(sender));
            }
            catch (SocketException failure)
            {
                // What is wrong with one datagram, such as that nobody takes it, is no reason not to read the next.
                NodeLog.ExchangeFailed(_logger, "UDP", failure.Message);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>
    /// An exchange ends with its own answer, after the last message of it was sent. An implementation that does not number its
    /// answers is told by the address that it answers from.
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
        _stop.Dispose();
    }

    sealed class Waiting
    {
        public TaskCompletionSource<ExchangeResult> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Written by the exchange before it sends, read by the receiver.</summary>
        public IPEndPoint? Target { get; set; }
    }
}
