using CsCheck;

namespace Datacake.Crdt.Tests;

public class CounterValueTests
{
    [Fact]
    public void A_share_is_nine_bytes_of_MessagePack_and_round_trips() => Gen.Long.Sample(value =>
    {
        var bytes = new byte[CounterValue.Size];
        CounterValue.Write(bytes, value);
        Assert.Equal(0xD3, bytes[0]);
        Assert.Equal(value, CounterValue.Read(bytes));
    });

    [Theory]
    [InlineData("")]
    [InlineData("D30000000000000001FF")]
    [InlineData("D3000000000000")]
    [InlineData("CF0000000000000001")]
    public void Invalid_bytes_are_refused(string bytes) =>
        Assert.Throws<InvalidDataException>(() => CounterValue.Read(Convert.FromHexString(bytes)));
}
