namespace Datacake.Rpc.Framing;

/// <summary>A limit on the number of bytes held at a time, shared by all of its users. Thread-safe.</summary>
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
