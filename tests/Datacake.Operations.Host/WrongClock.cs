using System.Globalization;

namespace Datacake.Operations.Host;

/// <summary>A wall clock that is wrong by the seconds in a file. The clock is right again when the file is gone.</summary>
sealed class WrongClock : TimeProvider, IDisposable
{
    readonly string _file;
    readonly ITimer _timer;
    long _offset;       // in ticks

    public WrongClock(string file)
    {
        _file = file;
        Read();
        var interval = TimeSpan.FromMilliseconds(200);
        _timer = System.CreateTimer(_ => Read(), null, interval, interval);
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _offset));

    public void Dispose() => _timer.Dispose();

    void Read()
    {
        try
        {
            double seconds = File.Exists(_file) && double.TryParse(File.ReadAllText(_file), CultureInfo.InvariantCulture, out double number) ? number : 0;
            Volatile.Write(ref _offset, TimeSpan.FromSeconds(seconds).Ticks);
        }
        catch (IOException)
        {
            // The file is being removed. The next reading sees that.
        }
    }
}
