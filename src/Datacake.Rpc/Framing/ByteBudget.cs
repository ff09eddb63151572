namespace Datacake.Rpc.Framing;

/// <summary>Bytes that may be held at a time, by all who share it. Safe to use from several threads.</summary>
sealed class ByteBudget(long limit)
{
    long _held;

    public bool TryTake(int bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= limit)
            return true;
        Interlocked.Add(ref _held, -bytes);
        return false;
    }

    public void Return(int bytes) => Interlocked.Add(ref _held, -bytes);
}
