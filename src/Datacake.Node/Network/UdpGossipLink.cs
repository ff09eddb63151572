using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>Gossip as the Rust library does it: one datagram for a message, replies to where it came from, no encryption.</summary>
sealed class UdpGossipLink : IGossipLink
{
    readonly Socket _socket;
    readonly TimeSpan _timeout;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly CancellationTokenSource _stop = new();

    // By the address that the answer is awaited from.
    readonly ConcurrentDictionary<IPEndPoint, TaskCompletionSource<ExchangeOutcome>> _waiting = new();
    Task _receiving = Task.CompletedTask;

    UdpGossipLink(Socket socket, TimeSpan timeout, TimeProvider time, ILogger logger)
    {
        _socket = socket;
        _timeout = timeout;
        _time = time;
        _logger = logger;
    }

    /// <summary>The largest datagram of IPv4.</summary>
    public int MaxMessageLength => 65_507;

    /// <exception cref="InvalidOperationException">The port is taken.</exception>
    public static UdpGossipLink Bind(IPEndPoint endpoint, TimeSpan timeout, TimeProvider time, ILogger logger)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(endpoint);
            return new UdpGossipLink(socket, timeout, time, logger);
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

    public async Task<ExchangeOutcome> ExchangeAsync(IPEndPoint target, string address, byte[] syn, CancellationToken cancellationToken)
    {
        var answer = _waiting.GetOrAdd(
            target, static _ => new TaskCompletionSource<ExchangeOutcome>(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            await _socket.SendToAsync(syn, target, cancellationToken).ConfigureAwait(false);
            return await answer.Task.WaitAsync(_timeout, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SocketException or TimeoutException)
        {
            NodeLog.ExchangeFailed(_logger, address, failure.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops.
        }
        finally
        {
            _waiting.TryRemove(KeyValuePair.Create(target, answer));
        }
        return ExchangeOutcome.Silent;
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
                var reply = receiver(buffer.AsSpan(0, datagram.ReceivedBytes), sender.ToString(), out var isRefused);
                if (reply.Length > 0)
                    await _socket.SendToAsync(reply, sender, cancellationToken).ConfigureAwait(false);
                if (_waiting.TryRemove(sender, out var waiting))
                    waiting.TrySetResult(isRefused ? ExchangeOutcome.Refused : ExchangeOutcome.Answered);
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

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _receiving.ConfigureAwait(false);
        _socket.Dispose();
        _stop.Dispose();
    }
}
