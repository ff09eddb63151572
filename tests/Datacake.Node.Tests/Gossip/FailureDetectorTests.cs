using System.Net;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

public sealed class FailureDetectorTests
{
    static readonly GossipId Id = new("1", 1, IPEndPoint.Parse("127.0.0.1:7001"));

    readonly VirtualTime _time = new();

    // The values from the wire document: a prior of five intervals of 5 s and a threshold of 8.
    readonly GossipOptions _options = new()
    {
        InitialHeartbeatInterval = TimeSpan.FromSeconds(5),
        MaxHeartbeatInterval = TimeSpan.FromSeconds(10),
        PhiThreshold = 8,
        MinSilence = TimeSpan.Zero,
    };

    readonly FailureDetector _detector;

    public FailureDetectorTests() => _detector = new FailureDetector(_options, _time);

    [Fact]
    public void Node_is_alive_after_two_signs_of_life_but_not_after_one()
    {
        Assert.False(_detector.Judge(Id));
        _detector.Report(Id);
        Assert.Null(_detector.Phi(Id));
        Assert.False(_detector.Judge(Id));
        Beat(1);
        Assert.True(_detector.Judge(Id));
    }

    [Fact]
    public void Phi_is_the_silence_as_a_multiple_of_the_mean_interval()
    {
        _detector.Report(Id);
        for (var i = 0; i < 5; i++)
            Beat(1);
        // (5 × 1 s + 5 × 5 s) / 10 = 3 s
        _time.Advance(TimeSpan.FromSeconds(12));
        Assert.Equal(4, _detector.Phi(Id)!.Value, 6);
    }

    [Fact]
    public void Node_is_dead_when_phi_passes_the_threshold_and_alive_again_after_two_signs_of_life()
    {
        _detector.Report(Id);
        for (var i = 0; i < 5; i++)
            Beat(1);
        _time.Advance(TimeSpan.FromSeconds(24));
        Assert.True(_detector.Judge(Id));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.False(_detector.Judge(Id));
        Beat(60);
        Assert.False(_detector.Judge(Id));
        Beat(1);
        Assert.True(_detector.Judge(Id));
    }

    [Fact]
    public void Time_of_death_is_the_first_time_the_node_was_found_dead()
    {
        Assert.False(_detector.Judge(Id));
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(_detector.Judge(Id));
        Assert.Equal(TimeSpan.FromMinutes(5), _detector.DeadFor(Id));
    }

    [Fact]
    public void Node_is_never_dead_before_the_minimum_silence()
    {
        _options.MinSilence = TimeSpan.FromSeconds(60);
        _detector.Report(Id);
        Beat(1);
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.True(_detector.Judge(Id));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_detector.Judge(Id));
    }

    [Fact]
    public void A_pause_of_this_process_does_not_count_as_silence()
    {
        _detector.Report(Id);
        Beat(1);
        _time.Advance(TimeSpan.FromMinutes(10));
        _detector.Forgive(TimeSpan.FromMinutes(10));
        Assert.True(_detector.Judge(Id));
    }

    void Beat(double seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        _detector.Report(Id);
    }
}
