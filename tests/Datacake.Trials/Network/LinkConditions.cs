namespace Datacake.Trials.Network;

/// <summary>The quality of the connection from one host to another, in one direction.</summary>
/// <param name="Loss">The probability that a packet is lost, from 0 to 1.</param>
/// <param name="Delay">The time that each packet takes.</param>
/// <param name="Jitter">The greatest random addition to the delay. Packets of one direction stay in order.</param>
/// <param name="IsBlocked">True if no packet gets through.</param>
/// <param name="BytesPerSecond">The bandwidth; 0 for no limit. At most a quarter of a second of packets is queued, and further packets are lost.</param>
readonly record struct LinkConditions(double Loss, TimeSpan Delay, TimeSpan Jitter, bool IsBlocked, long BytesPerSecond)
{
    /// <summary>Gets a link with 5 % loss and some milliseconds of delay.</summary>
    public static LinkConditions Poor => new(0.05, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10), false, 0);

    /// <summary>Gets a link without faults.</summary>
    public static LinkConditions Good => default;

    public static LinkConditions Blocked => new(0, TimeSpan.Zero, TimeSpan.Zero, true, 0);
}
