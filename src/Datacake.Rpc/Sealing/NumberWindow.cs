namespace Datacake.Rpc.Sealing;

/// <summary>
/// The numbers of datagrams that have come from one sender. Each is taken once; one that is far behind the highest is not taken at all, so that a number of bits is
/// enough to remember them (RFC 4303, section 3.4.3).
/// </summary>
sealed class NumberWindow
{
    const int Size = 64;

    ulong _highest;
    ulong _taken;       // bit n: the number n below the highest was taken

    /// <summary>Takes a number; false if it was taken before, or may have been.</summary>
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
