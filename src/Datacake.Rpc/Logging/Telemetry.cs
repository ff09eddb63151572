using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Datacake.Rpc.Logging;

/// <summary>
/// The activity source and the meter <c>Datacake.Rpc</c> of all channels and servers in the process. Tags have few values, so that the
/// number of series is bounded. Exceptions of listeners are caught here, so that they do not affect calls.
/// </summary>
static class Telemetry
{
    public const string Name = "Datacake.Rpc";
    public const string ClientSide = "client";
    public const string ServerSide = "server";

    public static readonly ActivitySource Source = new(Name);
    static readonly Meter Meter = new(Name);

    static readonly Counter<long> Calls = Meter.CreateCounter<long>(
        "datacake.rpc.calls", "{call}", "Completed calls and streams, by status.");

    static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "datacake.rpc.call.duration",
        "s",
        "The duration of calls. For a stream, that of its opening at the client and of its handler at the server.");

    static readonly Counter<long> Bytes = Meter.CreateCounter<long>(
        "datacake.rpc.bytes", "By", "Bytes of frames, by direction, before encryption.");

    static readonly UpDownCounter<long> Connections = Meter.CreateUpDownCounter<long>(
        "datacake.rpc.connections", "{connection}", "Connections past their handshake.");

    static readonly Counter<long> Refused = Meter.CreateCounter<long>(
        "datacake.rpc.connections.refused", "{connection}", "Failed handshakes, by status.");

    /// <summary>Gets whether any listener observes calls.</summary>
    public static bool IsObserved => Source.HasListeners() || Calls.Enabled || Duration.Enabled;

    public static void CallEnded(string side, string service, string message, RpcStatus? failure, TimeSpan duration)
    {
        var tags = new TagList
        {
            { "side", side },
            { "service", service },
            { "message", message },
            { "status", failure?.ToString() ?? "Ok" },
        };
        Add(Calls, 1, tags);
        try
        {
            Duration.Record(duration.TotalSeconds, tags);
        }
        catch (Exception)
        {
        }
    }

    public static void BytesSent(string side, int count)
    {
        if (Bytes.Enabled)
            Add(Bytes, count, new TagList { { "side", side }, { "direction", "sent" } });
    }

    public static void BytesReceived(string side, int count)
    {
        if (Bytes.Enabled)
            Add(Bytes, count, new TagList { { "side", side }, { "direction", "received" } });
    }

    public static void ConnectionOpened(string side) => AddConnections(side, 1);

    public static void ConnectionClosed(string side) => AddConnections(side, -1);

    public static void ConnectionRefused(string side, RpcStatus status) =>
        Add(Refused, 1, new TagList { { "side", side }, { "status", status.ToString() } });

    /// <summary>Starts a span. Returns null if there are no listeners.</summary>
    public static Activity? StartSpan(string service, string message, ActivityKind kind, ActivityContext parent = default)
    {
        var current = Activity.Current;
        try
        {
            return Source.StartActivity($"{service}/{message}", kind, parent);
        }
        catch (Exception)
        {
            Activity.Current = current;
            return null;
        }
    }

    public static void EndSpan(Activity span)
    {
        try
        {
            span.Dispose();
        }
        catch (Exception)
        {
        }
    }

    static void AddConnections(string side, int count)
    {
        try
        {
            Connections.Add(count, new KeyValuePair<string, object?>("side", side));
        }
        catch (Exception)
        {
        }
    }

    static void Add(Counter<long> counter, long count, in TagList tags)
    {
        try
        {
            counter.Add(count, tags);
        }
        catch (Exception)
        {
        }
    }
}
