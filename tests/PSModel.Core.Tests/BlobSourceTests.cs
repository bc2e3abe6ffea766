using System.Net;
#if NET
using System.Net.Security;
#endif
using System.Net.Sockets;
#if NET
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
#endif
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Sources;
using PSModel.Loopback;

namespace PSModel.Core.Tests;

/// <summary>A registry that redirects to a storage service, whose addresses fail in one way or another.</summary>
public sealed class BlobSourceTests : IAsyncLifetime, IDisposable
{
    private const int Size = 100_000;

    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", Size);
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackRegistry _storage = LoopbackRegistry.Start();
    private readonly LoopbackRegistry _otherStorage = LoopbackRegistry.Start();
    private readonly RegistryClient _client = new(new RegistryOptions { ConnectionTimeout = TimeSpan.FromSeconds(20) });
    private BlobSource _source = null!;
    private int _redirects;

    public Task InitializeAsync()
    {
        string name = _registry.Offer(_model);
        _storage.Offer(_model);
        _otherStorage.Offer(_model);
        RedirectTo(_storage.Address);
        Manifest manifest = _client.GetManifest(ModelName.Parse(name), CancellationToken.None);
        _source = _client.OpenBlob(manifest, manifest.Blobs[0]);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        await _storage.DisposeAsync();
        await _otherStorage.DisposeAsync();
    }

    public void Dispose() => _client.Dispose();

    /// <summary>.NET passes over such a length, and what follows would count as the whole blob.</summary>
    [Theory]
    [InlineData("-5")]
    [InlineData("99999999999999999999999")]
    [InlineData("100000, 5")]
    public void An_answer_whose_length_is_none_is_not_taken_for_the_whole_blob(string length)
    {
        _registry.Fault = (_, answer) => answer.RawHead = $"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n";
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => _source.Open(new ByteRange(10, Size), CancellationToken.None));
        Assert.True(fault.IsTransient);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(418)]
    [InlineData(500)]
    [InlineData(503)]
    public void A_known_address_that_answers_with_any_failure_is_resolved_again_in_the_same_call(int status)
    {
        Read();
        Fail(_storage, status, times: 1);
        Read();

        Assert.Equal(2, _redirects);
        Assert.Equal(3, _storage.Requests.Count);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(503)]
    public void A_storage_that_goes_on_failing_is_a_transient_fault_and_no_loop(int status)
    {
        Read();
        Fail(_storage, status, times: int.MaxValue);

        for (int calls = 1; calls <= 3; calls++)
        {
            ModelFaultException fault = Assert.Throws<ModelFaultException>(Read);
            Assert.Equal(ModelFault.UnexpectedStatus, fault.Fault);
            Assert.Equal(status, fault.Facts.StatusCode);
            Assert.True(fault.IsTransient);

            // Once at first, and once a call by way of the registry; the known address is asked in the first call alone.
            Assert.Equal(1 + calls, _redirects);
            Assert.Equal(2 + calls, _storage.Requests.Count);
        }
    }

    [Fact]
    public async Task A_storage_that_is_gone_is_looked_for_by_way_of_the_registry()
    {
        await using (LoopbackRegistry going = LoopbackRegistry.Start())
        {
            going.Offer(_model);
            RedirectTo(going.Address);
            Read();
        }

        RedirectTo(_otherStorage.Address);
        Read();
        Read();

        Assert.Equal(2, _redirects);
        Assert.Equal(2, _otherStorage.Requests.Count);
    }

    [Fact]
    public void A_storage_that_was_never_there_is_a_transient_fault_and_is_not_kept()
    {
        RedirectTo(DeadAddress());
        ModelFaultException fault = Assert.Throws<ModelFaultException>(Read);
        Assert.Equal(ModelFault.RegistryUnreachable, fault.Fault);
        Assert.True(fault.IsTransient);

        RedirectTo(_storage.Address);
        Read();
    }

#if NET
    [Fact]
    public async Task A_storage_with_a_bad_certificate_is_a_transient_fault()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = ShowCertificateAsync(listener);
        RedirectTo(new Uri($"https://{listener.LocalEndpoint}"));

        ModelFaultException fault = Assert.Throws<ModelFaultException>(Read);

        Assert.Equal(ModelFault.RegistryUnreachable, fault.Fault);
        Assert.Contains("certificate", fault.Message, StringComparison.Ordinal);
        Assert.True(fault.IsTransient);
        await serving;
    }

    private static async Task ShowCertificateAsync(TcpListener listener)
    {
        using X509Certificate2 certificate = SelfSigned.Make();
        using TcpClient client = await listener.AcceptTcpClientAsync();
        await using SslStream stream = new(client.GetStream());
        try
        {
            await stream.AuthenticateAsServerAsync(certificate);
            _ = await stream.ReadAsync(new byte[1]);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // The client does not trust it.
        }
    }
#endif

    [Fact]
    public void An_unexpected_answer_of_a_storage_is_a_transient_fault_and_the_registry_is_asked_next()
    {
        Read();
        _storage.Fault = (_, answer) => answer.Headers["Content-Range"] = $"bytes 0-{Size - 1}/{Size + 1}";
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Read(new ByteRange(10, 20)));
        Assert.Equal(ModelFault.SizeMismatch, fault.Fault);
        Assert.True(fault.IsTransient);
        Assert.Equal(1, _redirects);

        _storage.Fault = null;
        Read();
        Assert.Equal(2, _redirects);
    }

    [Fact]
    public void A_storage_that_redirects_in_circles_is_resolved_again()
    {
        Read();
        _storage.Fault = (request, answer) => answer.RedirectTo(request.Path);
        RedirectTo(_otherStorage.Address);
        Read();
        Assert.Equal(2, _redirects);
    }

    [Theory]
    [InlineData(400, ModelFault.UnexpectedStatus, false)]
    [InlineData(401, ModelFault.AuthenticationFailed, false)]
    [InlineData(404, ModelFault.BlobNotFound, false)]
    [InlineData(503, ModelFault.UnexpectedStatus, true)]
    public void What_the_registry_itself_answers_keeps_its_meaning(int status, ModelFault expected, bool isTransient)
    {
        Read();
        Fail(_storage, 400, times: int.MaxValue);
        Fail(_registry, status, times: int.MaxValue);

        ModelFaultException fault = Assert.Throws<ModelFaultException>(Read);

        Assert.Equal(expected, fault.Fault);
        Assert.Equal(isTransient, fault.IsTransient);
    }

    private static Uri DeadAddress()
    {
        TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Uri address = new($"http://{listener.LocalEndpoint}");
        listener.Stop();
        return address;
    }

    private static void Fail(LoopbackRegistry server, int status, int times)
    {
        int failed = 0;
        server.Fault = (_, answer) =>
        {
            if (Interlocked.Increment(ref failed) <= times)
            {
                answer.Become(status, "<Error><Code>ExpiredToken</Code></Error>", "application/xml");
            }
        };
    }

    private void RedirectTo(Uri storage) => _registry.Fault = (request, answer) =>
    {
        if (request.IsBlob)
        {
            Interlocked.Increment(ref _redirects);
            answer.RedirectTo(new Uri(storage, $"{request.Path}?signature=1").ToString());
        }
    };

    private void Read() => Read(new ByteRange(0, Size));

    private void Read(ByteRange range)
    {
        using BlobStream stream = _source.Open(range, CancellationToken.None);
        byte[] buffer = new byte[Size];
        while (stream.Position < range.End && stream.Read(buffer, 0, buffer.Length) > 0)
        {
        }
    }
}
