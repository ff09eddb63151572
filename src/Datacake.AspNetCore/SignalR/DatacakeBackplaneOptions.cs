using System.Text;
using Datacake.Node;

namespace Datacake.AspNetCore;

/// <summary>The settings of the SignalR backplane.</summary>
public sealed class DatacakeBackplaneOptions
{
    internal const int MaxPrefixLength = 64, MinQueuedBytes = 64 * 1024;

    static readonly TimeSpan LongestTime = TimeSpan.FromHours(1);

    /// <summary>
    /// Gets or sets the beginning of the names of the hubs in the cluster, the same on all nodes. Applications of one cluster whose hub classes have the same names, and that share no messages, have a
    /// prefix each. At most 64 bytes in UTF-8. Default: empty.
    /// </summary>
    public string Prefix { get; set; } = "";

    /// <summary>
    /// Gets or sets the maximum time until another node answers: to add a connection that it has to a group or remove it from one, and to find the connection of a client result. The client's own time
    /// for its result is not limited by it. Default: 10 s.
    /// </summary>
    public TimeSpan AcknowledgmentTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gets or sets the maximum number of bytes that wait for one peer, for each hub. Senders wait while this many do. A higher limit survives longer pauses of a peer, and costs memory while it is slow.
    /// The last message may exceed the limit. Default: 8 MiB.
    /// </summary>
    public int MaxQueuedBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the maximum time for which a sender waits for a slow peer. Afterwards, messages to this peer are dropped until it has received some of those that wait, which is logged and counted.
    /// Default: 10 s, as long as ASP.NET Core waits for a client that does not read.
    /// </summary>
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(10);

    internal Func<IServiceProvider, DatacakeNode>? FindNode { get; private set; }

    /// <summary>Uses another node than the one that <c>AddDatacake</c> registers.</summary>
    /// <param name="find">Returns the node. It is called when a hub is first used.</param>
    public void UseNode(Func<IServiceProvider, DatacakeNode> find)
    {
        ArgumentNullException.ThrowIfNull(find);
        FindNode = find;
    }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range. The message names it.</exception>
    internal void Validate()
    {
        if (Prefix is null || Encoding.UTF8.GetByteCount(Prefix) > MaxPrefixLength)
            throw new ArgumentException($"The {nameof(Prefix)} of the SignalR backplane is {(Prefix is null ? "null" : "too long")}. Use a text of at most {MaxPrefixLength} bytes, or leave it empty.", nameof(Prefix));
        CheckTime(AcknowledgmentTimeout, nameof(AcknowledgmentTimeout));
        if (MaxQueuedBytes < MinQueuedBytes)
            throw new ArgumentException($"The {nameof(MaxQueuedBytes)} of the SignalR backplane is {MaxQueuedBytes}. Use at least {MinQueuedBytes} bytes.", nameof(MaxQueuedBytes));
        CheckTime(SendTimeout, nameof(SendTimeout));
    }

    static void CheckTime(TimeSpan time, string name)
    {
        if (time <= TimeSpan.Zero || time > LongestTime)
            throw new ArgumentException($"The {name} of the SignalR backplane is {time}. Use a positive time of at most an hour.", name);
    }
}
