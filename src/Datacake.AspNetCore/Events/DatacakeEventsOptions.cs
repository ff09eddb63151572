using Microsoft.AspNetCore.Http;

namespace Datacake.AspNetCore;

/// <summary>The settings of a stream of events.</summary>
public sealed class DatacakeEventsOptions
{
    /// <summary>
    /// Gets or sets whether a stream begins with the current results, and has them again after a gap, so that a client needs no other request. The server then keeps the keys of the results in memory for
    /// each client. Otherwise, a client reads the results itself after each <c>reset</c>. Default: true.
    /// </summary>
    public bool SendResults { get; set; } = true;

    /// <summary>Gets or sets the time without events after which a <c>heartbeat</c> shows that the connection is alive. Default: 15 s.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Gets or sets the time after which a browser connects again when its connection has ended. Default: 1 s.</summary>
    public TimeSpan ReconnectDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets or sets the maximum number of clients of the endpoint on this node at a time; further ones get <see cref="StatusCodes.Status503ServiceUnavailable"/>. Default: 10,000.
    /// </summary>
    public int MaxClients { get; set; } = 10_000;

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range. The message names it.</exception>
    internal void Validate()
    {
        CheckTime(HeartbeatInterval, nameof(HeartbeatInterval));
        CheckTime(ReconnectDelay, nameof(ReconnectDelay));
        if (MaxClients < 1)
            throw new ArgumentException($"{nameof(MaxClients)} is {MaxClients}. Use at least 1.", nameof(MaxClients));
    }

    static void CheckTime(TimeSpan time, string name)
    {
        if (time < TimeSpan.FromMilliseconds(1) || time > TimeSpan.FromDays(1))
            throw new ArgumentException($"The {name} of a stream of events is {time}. Use a time from 1 ms to a day.", name);
    }
}
