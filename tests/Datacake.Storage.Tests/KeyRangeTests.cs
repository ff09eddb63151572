using CsCheck;

namespace Datacake.Storage.Tests;

public sealed class KeyRangeTests
{
    static readonly Gen<byte[]> GenKey = Gen.OneOf<byte>(0, 1, 0x7F, 0x80, 0xFE, 0xFF).Array[0, 4];

    [Fact]
    public void The_range_of_a_prefix_contains_the_keys_that_start_with_the_prefix() =>
        Gen.Select(GenKey, GenKey).Sample((prefix, key) =>
            KeyRange.WithPrefix(prefix).Contains(key) == key.AsSpan().StartsWith(prefix));

    [Fact]
    public void The_range_after_a_key_contains_the_keys_above_it() =>
        Gen.Select(GenKey, GenKey).Sample((last, key) =>
            KeyRange.All.After(last).Contains(key) == (key.AsSpan().SequenceCompareTo(last) > 0));

    [Fact]
    public void The_range_before_a_key_contains_the_keys_below_it() =>
        Gen.Select(GenKey, GenKey).Sample((last, key) =>
            KeyRange.All.Before(last).Contains(key) == (key.AsSpan().SequenceCompareTo(last) < 0));

    [Fact]
    public void An_empty_range_holds_no_key() =>
        Gen.Select(GenKey, GenKey, GenKey).Sample((start, end, key) =>
        {
            var range = new KeyRange(start, end);
            return !(range.IsEmpty && range.Contains(key));
        });

    [Fact]
    public void The_range_of_all_keys_has_no_bounds()
    {
        Assert.Null(KeyRange.All.End);
        Assert.False(KeyRange.All.IsEmpty);
        Assert.True(KeyRange.All.Contains([]));
    }

    [Fact]
    public void A_range_up_to_the_empty_key_is_empty() => Assert.True(KeyRange.All.Before(default).IsEmpty);
}
