using CsCheck;

namespace Datacake.Crdt.Tests;

public class BoundedShareTests
{
    static readonly HlcTimestamp First = new(61, 1, 0, 1), Second = new(61, 2, 0, 2);

    [Fact]
    public void Share_round_trips_and_shows_its_total_as_any_counter_share_does() =>
        Gen.Select(Gen.ULong, Gen.Long, Gen.Long.Nullable(), Gen.Long.Nullable(), Gen.Select(Generate.Stamp, Gen.ULong, Gen.Long[0, long.MaxValue], Gen.Long[1, long.MaxValue]).Array[0, 4])
            .Sample((store, total, bound, otherBound, gifts) =>
            {
                var (minimum, maximum) = bound > otherBound ? (otherBound, bound) : (bound, otherBound);
                RightsGift[] given = [.. gifts.DistinctBy(gift => gift.Item1).OrderBy(gift => gift.Item1).Select(gift => new RightsGift(gift.Item1, gift.Item2, gift.Item3, gift.Item4))];

                byte[] encoded = new BoundedShare(store, total, minimum, maximum, given).Encode();

                Assert.True(BoundedShare.IsBounded(encoded));
                Assert.Equal(total, CounterValue.Read(encoded));
                var read = BoundedShare.Read(encoded);
                Assert.Equal((store, total, minimum, maximum), (read.Store, read.Total, read.Minimum, read.Maximum));
                Assert.Equal(given, read.Gifts);
                Assert.Equal(encoded, read.Encode());
            });

    [Fact]
    public void Plain_share_is_not_that_of_a_bounded_counter()
    {
        byte[] plain = new byte[CounterValue.Size];
        CounterValue.Write(plain, 5);
        Assert.False(BoundedShare.IsBounded(plain));
        Assert.Throws<InvalidDataException>(() => BoundedShare.Read(plain));
    }

    [Fact]
    public void Gifts_add_up_for_each_receiver_and_are_ordered_by_run()
    {
        var share = new BoundedShare(1, 0, null, null, []);
        share = share.Give(new RightsGift(Second, 2, 3, 0)).Give(new RightsGift(First, 1, 1, 1)).Give(new RightsGift(Second, 2, 4, 5));
        Assert.Equal([new RightsGift(First, 1, 1, 1), new RightsGift(Second, 2, 7, 5)], share.Gifts);
    }

    [Fact]
    public void Invalid_bytes_are_refused()
    {
        byte[] valid = new BoundedShare(7, 1, 0, 5, [new RightsGift(First, 1, 1, 0), new RightsGift(Second, 2, 1, 0)]).Encode();
        int gifts = valid.Length - (2 * 32);
        for (int length = CounterValue.Size + 1; length < valid.Length; length++)
        {
            // A share with fewer gifts is valid, too.
            if (length != gifts && length != gifts + 32)
                Refused(valid[..length]);
        }
        Refused(Changed(0, 0xCF));
        Refused(Changed(CounterValue.Size, 4));
        Refused(new BoundedShare(7, 1, 6, 5, []).Encode());
        Refused(new BoundedShare(7, 1, null, null, [new RightsGift(Second, 2, 1, 0), new RightsGift(First, 1, 1, 0)]).Encode());
        Refused(new BoundedShare(7, 1, null, null, [new RightsGift(First, 2, 1, 0), new RightsGift(First, 1, 1, 0)]).Encode());
        Refused(new BoundedShare(7, 1, null, null, [new RightsGift(First, 2, 0, 0)]).Encode());
        Refused(new BoundedShare(7, 1, null, null, [new RightsGift(First, 2, -1, 0)]).Encode());

        byte[] Changed(int index, byte value)
        {
            byte[] changed = [.. valid];
            changed[index] = value;
            return changed;
        }

        static void Refused(byte[] bytes)
        {
            Assert.Throws<InvalidDataException>(() => CounterValue.Read(bytes));
            Assert.Throws<InvalidDataException>(() => BoundedShare.Read(bytes));
            var content = new DocumentContentBuilder();
            Assert.Throws<ArgumentException>(() => content.Set(DocumentPath.OfCounterShare("Stock", First, Second).Encoded.Span, bytes));
        }
    }
}
