namespace Datacake.Rpc.Sealing;

/// <summary>
/// The numbers of the datagrams received from one sender, for protection against replay. Each number is accepted once. A number that is far
/// behind the highest one is not accepted at all, so that a fixed number of bits is enough to remember them (RFC 4303, section 3.4.3).
/// </summary>
sealed class NumberWindow
{
    const int Size = 64;

    ulong _highest;
    ulong _taken;       // Bit n is set if the number n below the highest was taken.

    /// <summary>Takes a number. Returns false if it was, or may have been, taken before.</summary>
    public bool TryTake(ulong number)
    {
        if (number > _highest)
        {
            var step = number - _highest;
            _taken = (step < Size ? _taken << (int)step : 0) | 1;
            _highest = number;
            return true;
        }

        var behind = _highest - number;
        if (behind >= Size || (_taken & (1UL << (int)behind)) != 0)
            return false;
        _taken |= 1UL << (int)behind;
        return true;
    }
}
