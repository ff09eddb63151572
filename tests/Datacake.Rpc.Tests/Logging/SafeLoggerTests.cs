using Datacake.Rpc.Logging;

namespace Datacake.Rpc.Tests.Logging;

public sealed class SafeLoggerTests
{
    [Fact]
    public void Text_of_peers_takes_one_line_of_the_log()
    {
        using var log = new CollectingLog();
        Log.ConnectFailed(new SafeLogger(log.CreateLogger("test")), "10.0.0.1:7001", "stop\r\n12:00 Information: all is well\u001b[2J");
        Assert.Equal("RPC channel could not connect to 10.0.0.1:7001: stop  12:00 Information: all is well [2J.", Assert.Single(log.Messages));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("Grüße, 你好, 🍰")]
    public void Other_texts_are_unchanged(string text) => Assert.Same(text, RemoteText.OneLine(text));
}
