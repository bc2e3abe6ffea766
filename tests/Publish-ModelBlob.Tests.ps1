BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'LoopbackRegistry.psm1') -Force
    Import-Module (Get-StagedModulePath)
    $registry = Start-LoopbackRegistry -SizeMiB 1
    $store = Join-Path $TestDrive 'store'
    $null = Save-ModelBlob $registry.Name $store -VerifyInline
}

AfterAll {
    Stop-LoopbackRegistry $registry
}

Describe 'Publish-ModelBlob' {
    It 'makes an image layout of a model' {
        $layout = Join-Path $TestDrive 'layout'
        $published = Publish-ModelBlob $registry.Name $store -Destination $layout
        $published | Should -BeOfType ([PSModel.ModelBlobDigest])
        $published.Status | Should -Be (@('Published') * 5)
        $published.Verified | Should -Not -Contain $false
        ($published | Measure-Object BytesSent -Sum).Sum | Should -Be ($published | Measure-Object Size -Sum).Sum
        foreach ($digest in $published.Digest) {
            $file = Join-Path $layout "blobs/sha256/$($digest.Substring(7))"
            (Get-FileHash $file -Algorithm SHA256).Hash.ToLowerInvariant() | Should -Be $digest.Substring(7)
        }

        $index = Get-Content (Join-Path $layout 'index.json') -Raw | ConvertFrom-Json
        ($index.manifests | Where-Object { -not $_.annotations.'org.psmodel.form.of' }).digest | Should -Be (Get-ModelManifest $registry.Name -Local -StorePath $store).Digest
        (Publish-ModelBlob $registry.Name $store -Destination $layout).Status | Should -Be (@('AlreadyPresent') * 5)
    }

    It 'takes what Get-ModelManifest gives, and relative folders' {
        Push-Location $TestDrive
        try {
            $published = Get-ModelManifest -Local -StorePath $store | Publish-ModelBlob -StorePath $store -Destination ./piped
            $published.Status | Should -Be (@('Published') * 5)
            Join-Path $TestDrive 'piped/oci-layout' | Should -Exist
        }
        finally {
            Pop-Location
        }
    }

    It 'writes nothing with -WhatIf' {
        $layout = Join-Path $TestDrive 'nothing'
        Publish-ModelBlob $registry.Name $store -Destination $layout -WhatIf | Should -BeNullOrEmpty
        $layout | Should -Not -Exist
    }

    It 'says that a registry cannot be reached, once' {
        Publish-ModelBlob $registry.Name $store -Destination 'http://127.0.0.1:1/other/place' -ThrottleLimit 1 -MaximumRetryCount 0 -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        @($failed).Count | Should -Be 1
        $failed[0].FullyQualifiedErrorId | Should -Be 'RegistryUnreachable,PSModel.Commands.PublishModelBlobCommand'
        $failed[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'says which model the store does not have' {
        Publish-ModelBlob none $store -Destination (Join-Path $TestDrive 'none') -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'ManifestNotFound,*'
    }
}
