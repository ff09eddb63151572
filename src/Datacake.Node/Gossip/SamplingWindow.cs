namespace Datacake.Node.Gossip;

/// <summary>A sliding window of the last samples, with their sum.</summary>
sealed class SamplingWindow
{
    const int Capacity = 1_000;

    readonly Queue<double> _samples = new();

    public int Count => _samples.Count;

    public double Sum { get; private set; }

    public void Add(double sample)
    {
        if (_samples.Count == Capacity)
            Sum -= _samples.Dequeue();
        _samples.Enqueue(sample);
        Sum += sample;
    }

    public void Clear()
    {
        _samples.Clear();
        Sum = 0;
    }
}
