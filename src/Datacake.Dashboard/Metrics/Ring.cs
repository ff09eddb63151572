namespace Datacake.Dashboard.Metrics;

/// <summary>The newest values of a series, one for each interval of the history. Not thread-safe.</summary>
sealed class Ring(int capacity)
{
    readonly float[] _values = new float[capacity];
    int _next;

    public void Add(float value)
    {
        _values[_next] = value;
        _next = (_next + 1) % capacity;
    }

    /// <summary>Copies the newest values, the oldest of them first.</summary>
    public void CopyNewest(Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = _values[(_next - values.Length + i + capacity) % capacity];
    }
}
