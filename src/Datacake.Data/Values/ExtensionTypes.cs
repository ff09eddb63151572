namespace Datacake.Data.Metadata;

/// <summary>The MessagePack extension types that values use.</summary>
static class ExtensionTypes
{
    /// <summary>
    /// A byte with the scale (low five bits) and the sign (high bit), then the digits as an unsigned big-endian integer without leading
    /// zeros.
    /// </summary>
    public const byte Decimal = 1;

    /// <summary>Eight bytes, big-endian: the ticks, with the <see cref="System.DateTimeKind"/> in the two highest bits.</summary>
    public const byte DateTime = 2;

    /// <summary>Ten bytes, big-endian: the ticks of the clock that the offset is of (8), and the offset in minutes (2).</summary>
    public const byte DateTimeOffset = 3;
}
