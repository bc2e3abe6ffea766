BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'LoopbackRegistry.psm1') -Force
    Import-Module (Get-StagedModulePath)
    $registry = Start-LoopbackRegistry -SizeMiB 4
}

AfterAll {
    Stop-LoopbackRegistry $registry
}

Describe 'Import-ModelPin' {
    BeforeEach {
        $list = Join-Path $TestDrive "$([guid]::NewGuid().ToString('N')).jsonl"
        $store = Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))
    }

    It 'gives what Save-ModelBlob saves, and a second run changes nothing' {
        Get-ModelManifest $registry.Name | Export-ModelPin $list
        (Import-ModelPin $list | Save-ModelBlob -StorePath $store -VerifyInline).Status | Should -Be (@('Downloaded') * 5)
        (Get-Item $list | Import-ModelPin | Save-ModelBlob -StorePath $store -VerifyInline).Status | Should -Be (@('AlreadyPresent') * 5)
    }

    It 'is refused where the registry has something else by now' {
        $manifest = Get-ModelManifest $registry.Name
        Set-Content $list "{""name"":""$($manifest.Name)@sha256:$('0' * 64)"",""origin"":""$($manifest.Source -replace '/v2/.*')""}"
        Import-ModelPin $list | Save-ModelBlob -StorePath $store -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'ManifestNotFound,*'
        $problem[0].Exception.Message | Should -BeLike '*has moved*'
        $store | Should -Not -Exist
    }

    It 'names the line that pins nothing' {
        Set-Content $list '{"name":"demo:1b"}'
        Import-ModelPin $list -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'ManifestInvalid,*'
        $problem[0].Exception.Message | Should -BeLike 'Line 1 of*'
    }
}
