using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Datacake.Rpc;

/// <summary>
/// What can be seen from outside: the activity source and the meter <c>Datacake.Rpc</c>, of all channels and servers of the process.
/// </summary>
static class Telemetry
{
    public const string Name = "Datacake.Rpc";
    public const string ClientSide = "client";
    public const string ServerSide = "server";

    public static readonly ActivitySource Source = new(Name);
    static readonly Meter Meter = new(Name);

    static readonly Counter<long> Calls = Meter.CreateCounter<long>(
        "datacake.rpc.calls", "{call}", "Calls and streams that ended, by status.");

    static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "datacake.rpc.call.duration", "s", "How long calls took; of a stream, its opening at the client and its handler at the server.");

    static readonly Counter<long> Bytes = Meter.CreateCounter<long>(
        "datacake.rpc.bytes", "By", "Bytes of frames, by direction, before encryption.");

    static readonly UpDownCounter<long> Connections = Meter.CreateUpDownCounter<long>(
        "datacake.rpc.connections", "{connection}", "Connections past their handshake.");

    static readonly Counter<long> Refused = Meter.CreateCounter<long>(
        "datacake.rpc.connections.refused", "{connection}", "Handshakes that failed, by status.");

    /// <summary>Whether anybody wants to know about calls.</summary>
    public static bool IsObserved => Source.HasListeners() || Calls.Enabled || Duration.Enabled;

    public static void CallEnded(string side, string service, string message, string address, RpcStatus? failure, TimeSpan duration)
    {
        var tags = new TagList
        {
            { "side", side },
            { "service", service },
            { "message", message },
            { "address", address },
            { "status", failure?.ToString() ?? "Ok" },
        };
        Calls.Add(1, tags);
        Duration.Record(duration.TotalSeconds, tags);
    }

    public static void BytesSent(string side, int count)
    {
        if (Bytes.Enabled)
            Bytes.Add(count, new("side", side), new("direction", "sent"));
    }

    public static void BytesReceived(string side, int count)
    {
        if (Bytes.Enabled)
            Bytes.Add(count, new("side", side), new("direction", "received"));
    }

    public static void ConnectionOpened(string side) => Connections.Add(1, new KeyValuePair<string, object?>("side", side));

    public static void ConnectionClosed(string side) => Connections.Add(-1, new KeyValuePair<string, object?>("side", side));

    public static void ConnectionRefused(string side, RpcStatus status) =>
        Refused.Add(1, new("side", side), new("status", status.ToString()));
}
