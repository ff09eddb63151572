namespace Datacake.Data.Values;

/// <summary>The MessagePack extension types of stored values.</summary>
static class ExtensionTypes
{
    /// <summary>
    /// A decimal: a byte with the scale (low five bits) and the sign (high bit), followed by the digits as an unsigned big-endian integer
    /// without leading zeros.
    /// </summary>
    public const byte Decimal = 1;

    /// <summary>
    /// A date and time: eight bytes, big-endian, with the ticks and, in the two highest bits, the <see cref="System.DateTimeKind"/>.
    /// </summary>
    public const byte DateTime = 2;

    /// <summary>
    /// A date and time with offset: ten bytes, big-endian, with the ticks of the local time (8) and the offset in minutes (2).
    /// </summary>
    public const byte DateTimeOffset = 3;
}
