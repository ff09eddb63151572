using System.Diagnostics.Metrics;
using System.Globalization;

namespace Datacake.AspNetCore.SignalR;

/// <summary>The metrics of a SignalR backplane, on the meter <c>Datacake.AspNetCore</c>. Every measurement is tagged with the id of the node and the hub.</summary>
sealed class BackplaneMetrics : IDisposable
{
    public const string MeterName = "Datacake.AspNetCore";

    /// <summary>
    /// The reasons why a message was dropped: the peer was slow, its connection was lost while the message was on its way, it left or went down, the message was larger than it accepts, or the message was
    /// not serialized for the protocol of a connection.
    /// </summary>
    public const string Slow = "slow", Lost = "lost", Gone = "gone", TooLarge = "too_large", UnknownProtocol = "unknown_protocol";

    readonly Meter _meter = new(MeterName);
    readonly Counter<long> _messages;
    readonly Counter<long> _dropped;
    readonly Backplane _backplane;

    public BackplaneMetrics(Backplane backplane)
    {
        _backplane = backplane;
        _messages = _meter.CreateCounter<long>("datacake.signalr.messages", "{message}", "Messages to and from peers, by their direction: sent or received.");
        _dropped = _meter.CreateCounter<long>("datacake.signalr.dropped", "{message}", "Messages to a peer that were dropped, by their reason: slow, lost, gone, too_large or unknown_protocol.");
        _meter.CreateObservableGauge("datacake.signalr.queued", Queued, "By", "Bytes that wait for a peer.");
    }

    public void OnSent(int messages)
    {
        if (_messages.Enabled)
            _messages.Add(messages, Node, Hub, new("direction", "sent"));
    }

    public void OnReceived(int messages)
    {
        if (_messages.Enabled)
            _messages.Add(messages, Node, Hub, new("direction", "received"));
    }

    public void OnDropped(int messages, string reason) => _dropped.Add(messages, Node, Hub, new("reason", reason));

    public void Dispose() => _meter.Dispose();

    KeyValuePair<string, object?> Node => new("node", _backplane.Links?.Node.Id.ToString(CultureInfo.InvariantCulture));

    KeyValuePair<string, object?> Hub => new("hub", _backplane.Hub);

    IEnumerable<Measurement<long>> Queued() =>
        _backplane.Links?.Links.Select(link => new Measurement<long>(link.QueuedBytes, Node, Hub, new("peer", link.NodeId.ToString(CultureInfo.InvariantCulture)))) ?? [];
}
