using MessagePack;

namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>Two numbers to add.</summary>
sealed record Sum(int A, int B) : IRpcMessage<Sum>
{
    public static string Name => "sum";

    public static Sum Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeader();
        return new Sum(reader.ReadInt32(), reader.ReadInt32());
    }

    public void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(2);
        writer.Write(A);
        writer.Write(B);
    }
}

/// <summary>The sum of two numbers.</summary>
sealed record Total(int Value) : IRpcMessage<Total>
{
    public static string Name => "total";

    public static Total Read(ref MessagePackReader reader) => new(reader.ReadInt32());

    public void Write(ref MessagePackWriter writer) => writer.Write(Value);
}

sealed class SumHandler : IHandler<Sum, Total>
{
    public ValueTask<Total> HandleAsync(Sum message, RpcRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new Total(checked(message.A + message.B)));
}
